;; Never returns from a tick; they are due every 10 ms.
(module
  (memory (export "memory") 1)
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/schedule@0.1.0#interval-ms") (result i32) (i32.const 10))
  (func (export "meterbox:plugin/schedule@0.1.0#tick") (result i32)
    (loop (br 0))
    (unreachable)))
