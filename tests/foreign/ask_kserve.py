"""Asked by KServe's own client, which is installed where this runs."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig


async def main() -> None:
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
    url, texts = sys.argv[1], json.loads(sys.argv[2])
    found = {
        "live": await client.is_server_live(url),
        "ready": await client.is_server_ready(url),
        "model_ready": await client.is_model_ready(url, "trendlark"),
    }
    for binary in (True, False):
        tensor = InferInput("text", [len(texts)], "BYTES")
        tensor.set_data_from_numpy(np.array(texts, dtype=object), binary_data=binary)
        request = InferRequest("trendlark", [tensor], request_id="r-1")
        answer = await client.infer(url, request, model_name="trendlark")
        outputs = {one.name: one for one in answer.outputs}
        found[f"infer-{binary}"] = {
            "id": answer.id,
            "analysis": [json.loads(one) for one in outputs["analysis"].data],
            "sentiment": list(outputs["sentiment"].data),
            "shape": list(outputs["sentiment_probabilities"].as_numpy().shape),
        }
    print(json.dumps(found))


asyncio.run(main())
