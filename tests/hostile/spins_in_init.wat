;; Never returns from its start hook.
(module
  (memory (export "memory") 1)
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/lifecycle@0.1.0#init") (param i32) (result i32)
    (loop (br 0))
    (unreachable)))
