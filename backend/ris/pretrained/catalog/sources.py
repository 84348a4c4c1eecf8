"""The published networks: where their files are, how large they are, their licences. Data only.

Revisions and digests are those that public lock files and manifests give for the publishers' own files.
Digests that are not in this table come from the Hub, which has one for each file of a revision.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NetworkKind = Literal[
    "clip", "sam", "sam2", "mask2former", "blip-itm", "albef", "spacy", "blip-caption", "chat"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class HubFiles:
    """Files of one revision of a repository on the Hugging Face Hub.

    Attributes:
        repository: owner/name.
        revision: the commit.
        files: `fnmatch` patterns of the files that are always fetched.
        weights: `fnmatch` patterns in order of preference; only files of the first that matches are fetched:
            safetensors before pickles.
        sha256: digest of the weights where they are one file with a published digest. The digest that the
            Hub gives is checked in any case.
    """

    repository: str
    revision: str
    files: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file at a web address.

    Attributes:
        url: the address.
        sha256: None where no digest is published; `ris models verify` then compares with the file as it was
            first fetched.
        n_bytes: length in bytes; exact where `sha256` is known, else approximate.
        unpacked: the folder inside a zip file whose contents are the network's files; None for a plain file.
    """

    url: str
    sha256: str | None
    n_bytes: int
    unpacked: str | None = None

    @property
    def name(self) -> str:
        """The file's name on disk."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Source:
    """One network's files.

    Attributes:
        name: unique name; also the name of its folder among the fetched models.
        kind: selects the class that loads the folder, see `ris.pretrained.loading`.
        parts: the files that `ris models fetch` downloads; empty for an embedded network or one in a folder
            of the user's.
        folder: the network's folder where nothing is fetched; None otherwise.
        parameters_m: parameters kept in memory, in millions.
        licence: licence of the weights, as the publisher states it.
        training_data: what it was trained on, as far as it matters to figures on RefCOCO. The key in presets
            files is `saw`.
    """

    name: str
    kind: NetworkKind
    parts: tuple[HubFiles | WebFile, ...] = ()
    folder: Path | None = None
    parameters_m: float = 0.0
    licence: str = ""
    training_data: str = ""

    @property
    def memory_mb(self) -> float:
        """Memory of the weights in MB (10^6 bytes): 16 bits a parameter in chat networks, 32 in others."""
        return self.parameters_m * (2 if self.kind == "chat" else 4)

    @property
    def download_mb(self) -> float:
        """Size of the download in MB (10^6 bytes); weights on the Hub count as large as in memory."""
        on_web = sum(part.n_bytes for part in self.parts if isinstance(part, WebFile)) / 1e6
        has_hub_weights = any(isinstance(part, HubFiles) and part.weights for part in self.parts)
        return on_web + (self.memory_mb if has_hub_weights else 0.0)

    def get_folder(self, models: Path) -> Path:
        """Get the network's folder; `models` is the folder of the fetched networks."""
        return self.folder if self.folder is not None else models / self.name


BLIP_FILES = ("*config.json", "tokenizer.json", "special_tokens_map.json", "vocab.txt")
CHAT_FILES = ("*.json", "*.jinja", "merges.txt", "tokenizer.model")
SAM_URL = "https://dl.fbaipublicfiles.com/segment_anything"
COCO_CAPTIONS = "captions of COCO images, RefCOCO's among them; no masks"

CLIP_B32 = Source(
    name="clip-vit-b-32-openai", kind="clip", parameters_m=151.3, licence="MIT",
    training_data="400 million pairs of image and text from the web, not published; no masks",
    parts=(HubFiles(
        "timm/vit_base_patch32_clip_224.openai", "a6f597a30f7b82c51704746581f9a4e41421e878",
        files=("open_clip_config.json",), weights=("open_clip_model.safetensors",),
        sha256="e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
    ),),
)  # fmt: skip
CLIP_L14 = Source(
    name="clip-vit-l-14-openai", kind="clip", parameters_m=427.6, licence="MIT",
    training_data=CLIP_B32.training_data,
    parts=(HubFiles(
        "timm/vit_large_patch14_clip_224.openai", "18d0535469bb561bf468d76c1d73aa35156c922b",
        files=("open_clip_config.json",), weights=("open_clip_model.safetensors",),
        sha256="9ce2e8a8ebfff3793d7d375ad6d3c35cb9aebf3de7ace0fc7308accab7cd207e",
    ),),
)  # fmt: skip
CLIP_RN50 = Source(
    name="clip-rn50-openai", kind="clip", parameters_m=102.0, licence="MIT",
    training_data=CLIP_B32.training_data,
    parts=(HubFiles(
        "timm/resnet50_clip.openai", "ec3d92cf63a5f9d591f0d611b736895966c73076",
        files=("open_clip_config.json",), weights=("open_clip_model.safetensors",),
        sha256="da0baa37fb2211eee5729ab69ed587eb10d48f5b7076ceeed01552fc3d4cb4ee",
    ),),
)  # fmt: skip
SAM_B = Source(
    name="sam-vit-b", kind="sam", parameters_m=93.7, licence="Apache-2.0",
    training_data="SA-1B; no COCO image, no words",
    parts=(WebFile(
        f"{SAM_URL}/sam_vit_b_01ec64.pth",
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912", 375_042_383,
    ),),
)  # fmt: skip
SAM_H = Source(
    name="sam-vit-h", kind="sam", parameters_m=641.1, licence="Apache-2.0", training_data=SAM_B.training_data,
    parts=(WebFile(
        f"{SAM_URL}/sam_vit_h_4b8939.pth",
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e", 2_564_550_879,
    ),),
)  # fmt: skip
SAM2_L = Source(
    name="sam2.1-hiera-large", kind="sam2", parameters_m=224.4, licence="Apache-2.0",
    training_data="SA-1B and SA-V; no COCO image, no words",
    parts=(HubFiles(
        "facebook/sam2.1-hiera-large", "665f8e2ad61cf5f53d65644ff27c8ee525124610",
        files=("*config.json",), weights=("model.safetensors",),
        sha256="dc407dce21301fd94abb395c5099b4f2c455fdc8a8f261ac3d0ea6d4cd197230",
    ),),
)  # fmt: skip
MASK2FORMER_L = Source(
    name="mask2former-swin-large-coco-panoptic", kind="mask2former", parameters_m=216.0,
    licence="other, see its model card",
    training_data="panoptic masks of COCO train2017, which has RefCOCO's images: not zero-shot there",
    parts=(HubFiles(
        "facebook/mask2former-swin-large-coco-panoptic", "85b535928a783691eaf27467a573b26d543336ea",
        files=("config.json", "preprocessor_config.json"), weights=("model.safetensors", "pytorch_model.bin"),
    ),),
)  # fmt: skip
BLIP_ITM = Source(
    name="blip-itm-base-coco", kind="blip-itm", parameters_m=223.5, licence="BSD-3-Clause",
    training_data=f"129 million pairs, those of COCO and Visual Genome included: {COCO_CAPTIONS}",
    parts=(HubFiles(
        "Salesforce/blip-itm-base-coco", "bed8ad38cb2d04a5a4bdf2d071b3c3c0a4aa724c",
        files=BLIP_FILES, weights=("model.safetensors", "pytorch_model.bin"),
    ),),
)  # fmt: skip
ALBEF = Source(
    name="albef", kind="albef", parameters_m=209.5, licence="BSD-3-Clause",
    training_data=f"14 million pairs, those of COCO and Visual Genome included: {COCO_CAPTIONS}",
    parts=(
        WebFile("https://storage.googleapis.com/sfr-pcl-data-research/ALBEF/ALBEF.pth", None, 3_490_000_000),
        HubFiles(
            "google-bert/bert-base-uncased", "86b5e0934494bd15c9632b12f734a8a67f723594",
            files=("tokenizer.json", "tokenizer_config.json", "vocab.txt"),
        ),
    ),
)  # fmt: skip
SPACY_SM = Source(
    name="en_core_web_sm-3.8.0", kind="spacy", parameters_m=3.0, licence="MIT",
    training_data="OntoNotes 5; no images",
    parts=(WebFile(
        "https://github.com/explosion/spacy-models/releases/download/en_core_web_sm-3.8.0/"
        "en_core_web_sm-3.8.0-py3-none-any.whl",
        "1932429db727d4bff3deed6b34cfc05df17794f4a52eeb26cf8928f7c1a0fb85", 12_806_118,
        unpacked="en_core_web_sm/en_core_web_sm-3.8.0",
    ),),
)  # fmt: skip
SPACY_LG = Source(
    name="en_core_web_lg-3.8.0", kind="spacy", parameters_m=106.0, licence="MIT",
    training_data="OntoNotes 5; word vectors from OSCAR, Wikipedia, OpenSubtitles and news; no images",
    parts=(WebFile(
        "https://github.com/explosion/spacy-models/releases/download/en_core_web_lg-3.8.0/"
        "en_core_web_lg-3.8.0-py3-none-any.whl",
        "293e9547a655b25499198ab15a525b05b9407a75f10255e405e8c3854329ab63", 400_658_291,
        unpacked="en_core_web_lg/en_core_web_lg-3.8.0",
    ),),
)  # fmt: skip
SPACY_TRF = Source(
    name="en_core_web_trf-3.8.0", kind="spacy", parameters_m=125.0, licence="MIT",
    training_data="OntoNotes 5, on RoBERTa base; no images",
    parts=(WebFile(
        "https://github.com/explosion/spacy-models/releases/download/en_core_web_trf-3.8.0/"
        "en_core_web_trf-3.8.0-py3-none-any.whl",
        "272a31e9d8530d1e075351d30a462d7e80e31da23574f1b274e200f3fff35bf5", 457_421_864,
        unpacked="en_core_web_trf/en_core_web_trf-3.8.0",
    ),),
)  # fmt: skip
QWEN_2B = Source(
    name="qwen3-vl-2b-instruct", kind="chat", parameters_m=2127.0, licence="Apache-2.0",
    training_data="not published; assume that RefCOCO is included",
    parts=(HubFiles(
        "Qwen/Qwen3-VL-2B-Instruct", "89644892e4d85e24eaac8bacfd4f463576704203",
        files=CHAT_FILES, weights=("*.safetensors",),
    ),),
)  # fmt: skip
QWEN_8B = Source(
    name="qwen3-vl-8b-instruct", kind="chat", parameters_m=8767.0, licence="Apache-2.0",
    training_data=QWEN_2B.training_data,
    parts=(HubFiles(
        "Qwen/Qwen3-VL-8B-Instruct", "0c351dd01ed87e9c1b53cbc748cba10e6187ff3b",
        files=CHAT_FILES, weights=("*.safetensors",),
    ),),
)  # fmt: skip
LLAVA_7B = Source(
    name="llava-1.5-7b-hf", kind="chat", parameters_m=7063.0, licence="Llama 2 Community Licence",
    training_data="instruction tuning includes boxes and expressions of RefCOCO and Visual Genome",
    parts=(HubFiles(
        "llava-hf/llava-1.5-7b-hf", "b234b804b114d9e37bb655e11cbbb5f5e971b7a9",
        files=CHAT_FILES, weights=("*.safetensors",),
    ),),
)  # fmt: skip
