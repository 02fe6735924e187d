"""The commands of `python -m jobs`, a module a subject, each with `register(app)`.

To add one, write a module and name it in `jobs/__main__.py`. Load azure-ai-ml and other heavy packages inside the
function that needs them, so that `--help` and completion stay quick.
"""
