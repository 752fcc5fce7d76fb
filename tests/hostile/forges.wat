;; One gauge and one sample of it, of any texts.
(module
  (memory (export "memory") 1)
  (data (i32.const 68) "\80\00\00\00\01\00\00\00")
  ;; Name and help; 1 of a gauge; label names.
  (data (i32.const 128) "\00\08\00\00NAME_LENGTH\00\0c\00\00HELP_LENGTH")
  (data (i32.const 160) "\01")
  (data (i32.const 208) "\00\10\00\00LABELS")
  (data (i32.const 2048) "NAME_TEXT")
  (data (i32.const 3072) "HELP_TEXT")
  (data (i32.const 4096) "\00\14\00\00LABEL_LENGTH")
  (data (i32.const 5120) "LABEL_TEXT")
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 64))
  ;; Samples, of 128 bytes each: family, label values, 7.
  (data (i32.const 6020) "\00\18\00\00SAMPLES")
  (data (i32.const 6144) "FAMILY\00\1c\00\00LABELS")
  (data (i32.const 6168) "\00\00\00\00\00\00\1c\40")
  (data (i32.const 6272) "\00\00\00\00\00\1c\00\00LABELS")
  (data (i32.const 7168) "\00\20\00\00VALUE_LENGTH")
  (data (i32.const 8192) "VALUE_TEXT")
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32) (i32.const 6016)))
