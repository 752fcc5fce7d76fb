;; Counts 5, and then traps.
(module
  (import "meterbox:plugin/instruments@0.1.0" "open" (func $open (param i32 i32 i32 i32)))
  (import "meterbox:plugin/instruments@0.1.0" "add" (func $add (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 32768))
  ;; One counter "counted_total", no labels.
  (data (i32.const 68) "\80\00\00\00\01\00\00\00")
  (data (i32.const 128) "\00\08\00\00\0d\00\00\00\00\08")
  (data (i32.const 2048) "counted_total")
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 64))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    (call $open (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4096))
    (f64.store (i32.const 5008) (f64.const 5))
    (call $add (i32.const 4100) (i32.const 1) (i32.const 5008) (i32.const 1) (i32.const 5016))
    END))
