"""Asked by Triton's own client, which is installed where this runs: every call that it has for what we offer."""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(sys.argv[1])
texts = json.loads(sys.argv[2])
found = {
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "model_ready": client.is_model_ready("trendlark"),
    "other_ready": client.is_model_ready("other"),
    "server": client.get_server_metadata(),
    "model": client.get_model_metadata("trendlark"),
}
for binary in (True, False):
    tensor = triton.InferInput("text", [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array(texts, dtype=object), binary_data=binary)
    names = [one["name"] for one in found["model"]["outputs"]]
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in names]
    for outputs in (wanted, None):
        answer = client.infer("trendlark", [tensor], outputs=outputs, request_id="r-1")
        read = {name: answer.as_numpy(name) for name in names}
        found[f"infer-{binary}-{outputs is not None}"] = {
            "id": answer.get_response()["id"],
            "analysis": [json.loads(one) for one in read["analysis"]],
            "sentiment": [
                one.decode() if isinstance(one, bytes) else one for one in read["sentiment"].tolist()
            ],
            "shapes": {name: list(value.shape) for name, value in read.items()},
            "irony": read["irony"].tolist(),
            "emotions": read["emotions_probabilities"].tolist(),
        }
pending = [client.async_infer("trendlark", [tensor]) for _ in range(4)]
found["async"] = [len(one.get_result().as_numpy("lang")) for one in pending]
try:
    client.infer("trendlark", [tensor], outputs=[triton.InferRequestedOutput("mood")])
except InferenceServerException as error:
    found["error"] = [error.status(), error.message()]
print(json.dumps(found))
