"""What notebooks log beside numbers: nested runs, figures, images, tables. Any difference ends it with an error."""

import os

import matplotlib as mpl
import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from sklearn.linear_model import LinearRegression

mpl.use("Agg")
from matplotlib import pyplot as plt  # after the choice of a backend

client, run_id = MlflowClient(), os.environ["MLFLOW_RUN_ID"]
chain = [run_id]
with mlflow.start_run():  # the job's own run
    for depth in range(3):
        run = mlflow.start_run(run_name=f"depth {depth}", nested=True)
        chain.append(run.info.run_id)
        mlflow.log_metric("depth", depth)
    for _ in range(3):
        mlflow.end_run()
    mlflow.sklearn.log_model(LinearRegression().fit([[1], [2]], [1, 2]), "model", pip_requirements=[])
print("chain", *chain)

figure, axes = plt.subplots()
axes.plot([1, 2, 3])
client.log_figure(run_id, figure, "plots/line.png")
client.log_image(run_id, np.zeros((4, 4, 3), dtype=np.uint8), "plots/black.png")
client.log_text(run_id, "hello", "notes/hello.txt")
client.log_dict(run_id, {"a": [1, 2]}, "notes/a.json")
client.log_table(run_id, pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}), "tables/small.json")

assert {one.path for one in client.list_artifacts(run_id, "plots")} == {"plots/line.png", "plots/black.png"}
assert {one.path for one in client.list_artifacts(run_id, "notes")} == {"notes/hello.txt", "notes/a.json"}
assert "model/MLmodel" in {one.path for one in client.list_artifacts(run_id, "model")}
table = mlflow.load_table("tables/small.json", run_ids=[run_id])
assert list(table["x"]) == [1, 2], table
print("all of it")
