"""The configuration: what one YAML file may say, and its defaults; `config_file` reads it.

Unknown keys, wrong types and impossible values are refused with the key's full path, before anything runs.
"""

from trigger_ad.config.budget import Amount, BudgetConfig, share_of
from trigger_ad.config.events import EventsConfig, LayoutConfig, ObjectsConfig
from trigger_ad.config.firmware import (
    AcceptConfig,
    BackEnd,
    FirmwareConfig,
    Flow,
    IOType,
    LayerFirmwareConfig,
    Strategy,
    ThresholdKind,
)
from trigger_ad.config.inputs import FeatureConfig, InputsConfig, OtherFeatureConfig, TransverseMomentumConfig
from trigger_ad.config.model import (
    ARCHITECTURES,
    AnomaliesConfig,
    BlockConfig,
    ConvolutionalAutoencoderConfig,
    DenseAutoencoderConfig,
    ModelConfig,
    ScoreName,
    StudentConfig,
    VariationalConfig,
    meaningful_scores,
)
from trigger_ad.config.own_model import CodesConfig, OwnModelConfig
from trigger_ad.config.run import Config
from trigger_ad.config.scan import NEEDED, AxisConfig, ObjectiveConfig, RangeConfig, ScanConfig, SearchConfig, Through
from trigger_ad.config.section import PATTERNS, Bits, Section
from trigger_ad.config.synthesis import SynthesisConfig, VendorToolName
from trigger_ad.config.training import (
    FitConfig,
    LayerBitsConfig,
    PruningConfig,
    QatConfig,
    QuantizationConfig,
    TrainingConfig,
)
from trigger_ad.config.trigger import TriggerConfig

__all__ = [
    "ARCHITECTURES",
    "NEEDED",
    "PATTERNS",
    "AcceptConfig",
    "Amount",
    "AnomaliesConfig",
    "AxisConfig",
    "BackEnd",
    "Bits",
    "BlockConfig",
    "BudgetConfig",
    "CodesConfig",
    "Config",
    "ConvolutionalAutoencoderConfig",
    "DenseAutoencoderConfig",
    "EventsConfig",
    "FeatureConfig",
    "FirmwareConfig",
    "FitConfig",
    "Flow",
    "IOType",
    "InputsConfig",
    "LayerBitsConfig",
    "LayerFirmwareConfig",
    "LayoutConfig",
    "ModelConfig",
    "ObjectiveConfig",
    "ObjectsConfig",
    "OtherFeatureConfig",
    "OwnModelConfig",
    "PruningConfig",
    "QatConfig",
    "QuantizationConfig",
    "RangeConfig",
    "ScanConfig",
    "ScoreName",
    "SearchConfig",
    "Section",
    "Strategy",
    "StudentConfig",
    "SynthesisConfig",
    "ThresholdKind",
    "Through",
    "TrainingConfig",
    "TransverseMomentumConfig",
    "TriggerConfig",
    "VariationalConfig",
    "VendorToolName",
    "meaningful_scores",
    "share_of",
]
