;; Makes pollables without end, and drops none.
(module
  (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration"
    (func $subscribe (param i64) (result i32)))
  (memory (export "memory") 1)
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    (loop (drop (call $subscribe (i64.const 3600000000000))) (br 0))
    (unreachable)))
