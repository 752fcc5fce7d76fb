;; Collects twice, and does not return from the third.
(module
  (memory (export "memory") 1)
  (global $collects (mut i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    (global.set $collects (i32.add (global.get $collects) (i32.const 1)))
    (loop (br_if 0 (i32.eq (global.get $collects) (i32.const 3))))
    (i32.const 0)))
