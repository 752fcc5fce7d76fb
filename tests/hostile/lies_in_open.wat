;; Opens a series of label values that are not where it says, or no texts.
(module
  (import "meterbox:plugin/instruments@0.1.0" "open" (func $open (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 128) "\00\02\00\00\02\00\00\00")
  (data (i32.const 136) "\00\00\00\f0\02\00\00\00")
  (data (i32.const 512) "\c3\28")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    (call $open (i32.const 0) (i32.const POINTER) (i32.const COUNT) (i32.const 4096))
    (i32.const 0)))
