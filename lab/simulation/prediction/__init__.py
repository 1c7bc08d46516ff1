"""What a machine should do with an image: rates, latencies, misses, and what each structure costs."""

from lab.simulation.prediction.attribution import attribute
from lab.simulation.prediction.model import Band, Prediction
from lab.simulation.prediction.predictor import predict
from lab.simulation.prediction.question import Question

__all__ = ["Band", "Prediction", "Question", "attribute", "predict"]
