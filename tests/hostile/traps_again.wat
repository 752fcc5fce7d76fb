;; Traps in collect, and from then on in the start hook of each later instance.
(module
  (memory (export "memory") 1)
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32) (unreachable))
  (func (export "meterbox:plugin/lifecycle@0.1.0#init") (param i32) (result i32)
    (if (local.get 0) (then (unreachable)))
    (i32.const 0)))
