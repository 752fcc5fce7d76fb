;; Has every export that there is, and does in each what the test says: nothing, a trap, or a loop without end.
(module
  (import "meterbox:plugin/config@0.1.0" "get" (func $get (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 128) "k")
  (func $start IN_START)
  (start $start)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) IN_REALLOC (i32.const 32768))
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) IN_DESCRIBE (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    IN_COLLECT
    (call $get (i32.const 128) (i32.const 1) (i32.const 256))
    (i32.const 0))
  (func (export "cabi_post_meterbox:plugin/collector@0.1.0#collect") (param i32) IN_POST_RETURN)
  (func (export "meterbox:plugin/text-collector@0.1.0#collect-text") (result i32) IN_TEXT (i32.const 0))
  (func (export "meterbox:plugin/lifecycle@0.1.0#init") (param i32) (result i32) IN_INIT (i32.const 0))
  (func (export "meterbox:plugin/schedule@0.1.0#interval-ms") (result i32) IN_INTERVAL (i32.const 10))
  (func (export "meterbox:plugin/schedule@0.1.0#tick") (result i32) IN_TICK (i32.const 0))
  (func (export "wasi:http/incoming-handler@0.2.12#handle") (param i32 i32) IN_HANDLE))
