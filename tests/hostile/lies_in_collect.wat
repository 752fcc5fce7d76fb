;; Returns a result that is not where it says, or none.
(module
  (memory (export "memory") PAGES)
  ;; At 64 an error, at 80 no case that there is, at 96 samples, at 112 an error of broken text.
  (data (i32.const 64) "\01\00\00\00\00\04\00\00LENGTH")
  (data (i32.const 80) "\02")
  (data (i32.const 96) "\00\00\00\00SAMPLES\01\00\00\00")
  (data (i32.const 112) "\01\00\00\00\7c\00\00\00\02\00\00\00\c3\28")
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32) (i32.const RESULT)))
