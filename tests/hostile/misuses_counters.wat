;; Does with a counter what nobody may, and traps if it is not told so in the right words.
(module
  (import "meterbox:plugin/instruments@0.1.0" "open" (func $open (param i32 i32 i32 i32)))
  (import "meterbox:plugin/instruments@0.1.0" "add" (func $add (param i32 i32 i32 i32 i32)))
  (import "meterbox:plugin/instruments@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 32768))
  ;; One counter "misused_total", no labels.
  (data (i32.const 68) "\80\00\00\00\01\00\00\00")
  (data (i32.const 128) "\00\08\00\00\0d\00\00\00\00\08")
  (data (i32.const 2048) "misused_total")
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 64))
  ;; Traps unless the answer at 4096 is an error of this case.
  (func $told (param $case i32)
    (if (i32.eqz (i32.load8_u (i32.const 4096))) (then (unreachable)))
    (if (i32.ne (i32.load8_u (i32.const 4100)) (local.get $case)) (then (unreachable))))
  (func $adds (param $by f64)
    (f64.store (i32.const 5008) (local.get $by))
    (call $add (i32.const 5000) (i32.const 1) (i32.const 5008) (i32.const 1) (i32.const 4096)))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    ;; Unknown families, too many label values.
    (call $open (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 4096))
    (call $told (i32.const 0))
    (call $open (i32.const -1) (i32.const 0) (i32.const 0) (i32.const 4096))
    (call $told (i32.const 0))
    (call $open (i32.const 0) (i32.const 8192) (i32.const 3) (i32.const 4096))
    (call $told (i32.const 3))
    ;; Unknown series.
    (i32.store (i32.const 5000) (i32.const -1))
    (call $adds (f64.const 1))
    (call $told (i32.const 1))
    ;; Down, and nowhere.
    (call $open (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4096))
    (i32.store (i32.const 5000) (i32.load (i32.const 4100)))
    (call $adds (f64.const -1))
    (call $told (i32.const 4))
    (call $adds (f64.const nan))
    (call $told (i32.const 4))
    (call $adds (f64.const -inf))
    (call $told (i32.const 4))
    ;; Another verb, columns of different lengths.
    (call $set (i32.const 5000) (i32.const 1) (i32.const 5008) (i32.const 1) (i32.const 4096))
    (call $told (i32.const 2))
    (call $add (i32.const 5000) (i32.const 1) (i32.const 5008) (i32.const 2) (i32.const 4096))
    (call $told (i32.const 3))
    ;; What may be done counts all the same.
    (call $adds (f64.const LAST))
    (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
    (i32.const 0)))
