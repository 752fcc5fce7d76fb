;; Names its family after the time, so that no two instances describe the same; traps in collect, to get a second one.
(module
  (import "wasi:clocks/monotonic-clock@0.2.12" "now" (func $now (result i64)))
  (memory (export "memory") 1)
  ;; One gauge of 16 letters.
  (data (i32.const 68) "\80\00\00\00\01\00\00\00")
  (data (i32.const 128) "\00\08\00\00\10\00\00\00\00\08")
  (data (i32.const 160) "\01")
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32)
    (local $time i64)
    (local $at i32)
    (local.set $time (call $now))
    (local.set $at (i32.const 2048))
    (loop
      (i64.store8 (local.get $at) (i64.add (i64.const 97) (i64.and (local.get $time) (i64.const 15))))
      (local.set $time (i64.shr_u (local.get $time) (i64.const 4)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get $at) (i32.const 2064))))
    (i32.const 64))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32) (unreachable)))
