;; Writes 100,000 lines, and returns as if nothing had happened.
(module
  (import "meterbox:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 128) "noise")
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    (local $left i32)
    (local.set $left (i32.const 100000))
    (loop
      (call $write (i32.const 1) (i32.const 128) (i32.const 5))
      (br_if 0 (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.const 0)))
