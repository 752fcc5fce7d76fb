;; One family with so many bounds or objectives, and one summary with so many quantiles. All numbers are 0.
(module
  (memory (export "memory") 1)
  (data (i32.const 68) "\80\00\00\00\01\00\00\00")
  (data (i32.const 128) "\00\08\00\00\07\00\00\00\00\08")
  (data (i32.const 160) "KIND")
  (data (i32.const 168) "\00\20\00\00BOUNDS")
  (data (i32.const 2048) "buckets")
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 64))
  ;; One sample: family 0, no labels, a summary.
  (data (i32.const 6020) "\00\18\00\00\01\00\00\00")
  (data (i32.const 6160) "\03")
  (data (i32.const 6184) "\00\20\00\00QUANTILES")
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32) (i32.const 6016)))
