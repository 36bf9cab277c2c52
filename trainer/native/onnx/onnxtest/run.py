# Checks a model of ONNX and runs it in onnxruntime on the CPU: MODEL INPUT OUTPUT. INPUT holds the pictures as float32,
# as many as there are; OUTPUT gets the output as float32. The words of the model are printed as JSON.
import json
import sys

import numpy
import onnx
import onnxruntime

model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
images = numpy.fromfile(sys.argv[2], numpy.float32).reshape(-1, *shape[1:])
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
output = session.run(["output"], {"images": images})[0]
output.astype(numpy.float32).tofile(sys.argv[3])
print(json.dumps({p.key: p.value for p in model.metadata_props}))
