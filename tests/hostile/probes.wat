;; May be asked for probes, and does ACT in one; what it returns is RESULT.
(module
  (memory (export "memory") 2)
  ;; At 64 success without samples, at 80 no case that there is, at 96 more samples than there is memory, at 112 one of a
  ;; family that there is not.
  (data (i32.const 64) "\00\00\00\00\01")
  (data (i32.const 80) "\07")
  (data (i32.const 96) "\00\00\00\00\01\00\00\00\00\04\00\00\ff\ff\ff\7f")
  (data (i32.const 112) "\00\00\00\00\01\00\00\00\00\04\00\00\01\00\00\00")
  (data (i32.const 1024) "\09")
  (global $top (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (global.get $top))
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/probe@0.1.0#describe") (result i32) DESCRIBE (i32.const 0))
  (func (export "meterbox:plugin/probe@0.1.0#probe") (param i32 i32 i32 i32 i32) (result i32)
    ACT
    (i32.const RESULT)))
