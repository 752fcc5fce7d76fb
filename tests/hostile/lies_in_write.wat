;; Writes a line that is not where it says, or no text at all.
(module
  (import "meterbox:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") PAGES)
  (data (i32.const 128) "good, then \ff\fe")
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    (call $write (i32.const LEVEL) (i32.const POINTER) (i32.const LENGTH))
    (i32.const 0)))
