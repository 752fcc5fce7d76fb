;; Opens a million series; stops at the first that is refused, and sets the ones that it has.
(module
  (import "meterbox:plugin/instruments@0.1.0" "open"
    (func $open (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 32768))
  ;; One gauge "opened" with a label "l".
  (data (i32.const 68) "\80\00\00\00\01\00\00\00")
  (data (i32.const 128) "\00\08\00\00\06\00\00\00")
  (data (i32.const 136) "\00\08\00\00\00\00\00\00")
  (data (i32.const 160) "\01")
  (data (i32.const 208) "\00\09\00\00\01\00\00\00")
  (data (i32.const 2048) "opened")
  (data (i32.const 2304) "\08\09\00\00\01\00\00\00l")
  ;; Its one label value, six digits at 3080.
  (data (i32.const 3072) "\08\0c\00\00\06\00\00\00000000")
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 64))
  (func $count
    (local $at i32)
    (local.set $at (i32.const 3085))
    (loop $carry
      (i32.store8 (local.get $at) (i32.add (i32.load8_u (local.get $at)) (i32.const 1)))
      (if (i32.gt_u (i32.load8_u (local.get $at)) (i32.const 57))
        (then
          (i32.store8 (local.get $at) (i32.const 48))
          (local.set $at (i32.sub (local.get $at) (i32.const 1)))
          (br_if $carry (i32.ge_u (local.get $at) (i32.const 3080)))))))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    (local $left i32)
    (local.set $left (i32.const 1000000))
    (block $refused
      (loop
        (call $open (i32.const 0) (i32.const 3072) (i32.const 1) (i32.const 4096))
        (br_if $refused (i32.load8_u (i32.const 4096)))
        (call $count)
        (br_if 0 (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
    (i32.const 0)))
