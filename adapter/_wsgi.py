"""The WSGI application that `label-studio-ml start` and its Docker images run."""

import argparse
import logging

from label_studio_ml.api import init_app
from model import ReferringSegmentation

app = init_app(model_class=ReferringSegmentation)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-p", "--port", type=int, default=9090)
    parser.add_argument("--host", default="127.0.0.1")
    arguments, _ = parser.parse_known_args()
    logging.basicConfig(level=logging.INFO)
    app.run(host=arguments.host, port=arguments.port, threaded=True)
