;; Returns one sample with a thousand label values, each of them the same mebibyte.
(module
  (memory (export "memory") 32)
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    (local $at i32)
    ;; The result: a list of one sample at 128.
    (i32.store (i32.const 68) (i32.const 128))
    (i32.store (i32.const 72) (i32.const 1))
    ;; Its label values: a list of 1,000 strings at 4096.
    (i32.store (i32.const 132) (i32.const 4096))
    (i32.store (i32.const 136) (i32.const 1000))
    (local.set $at (i32.const 4096))
    (loop
      (i32.store (local.get $at) (i32.const 65536))
      (i32.store offset=4 (local.get $at) (i32.const 1048576))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if 0 (i32.lt_u (local.get $at) (i32.const 12096))))
    (i32.const 64)))
