"""All errors that this product raises.

    BackendError
    |- InputError                an input of a person cannot be used
    |  |- TaskError              a task lacks its image or its expression
    |  |- LabelConfigError       a label config has no place for a mask, or more than one
    |  |- RegionError            a region's mask cannot be read
    |  |  |- FrameError          a region's image has another size than the task's
    |  |  |- EmptyMaskError      a drawn region covers no pixel
    |  |  |- RegionKindError     a region was drawn with a tool that makes no mask
    |  |- ChoiceError            the choices of an answer do not select one mask
    |  |- EventError             a webhook's body cannot be read
    |  |- OversizedError         a body holds too many values
    |- ImageError                an image cannot be loaded
    |  |- ImageUnreachable       the file cannot be fetched
    |  |- ImageUnreadable        the file is not an image that can be decoded
    |- WeightsError              a model file is missing or damaged
    |- DescriberError            the describer failed
    |- EndpointError             the server of a vision-language model failed
    |- GroundingError            what a vision-language model answered cannot be read
    |- StoreError                the database cannot be used now
    |  |- StoreRefusal           it refuses a value, now and later
    |- SettingsError             a setting is not allowed
    |- LabelStudioError          Label Studio refused or did not answer
    |  |- LabelStudioRefusal     it refused; the call changed nothing
    |  |  |- LabelStudioDenied   it refused the API key
    |  |  |- LabelStudioMissing  it has no such thing
    |  |- UntrustedError         its certificate is not trusted
    |- DatasetError              a dataset or an export cannot be read or written
    |- NotReady                  the networks are loading, the server stops, or the deadline has passed

A message is one sentence for the person who must act: what happened, what was found, what to do. It contains
no secret, no whole payload and no fetched bytes. An exception of a library is converted where it is caught,
with `from`. `ris.web` maps the errors to HTTP statuses in one table.
"""

from ris.redaction.messages import escape_controls_in_lines
from ris.redaction.text import redact_text


class BackendError(Exception):
    """The base class of all errors of this product.

    As a text it is redacted and escaped: messages name addresses, and quote what others wrote.
    """

    def __str__(self) -> str:
        """Return the message without secrets and control characters."""
        return escape_controls_in_lines(redact_text(super().__str__()))


class InputError(BackendError):
    """An input of a person cannot be used."""


class TaskError(InputError):
    """A task lacks its image or its expression."""


class LabelConfigError(InputError):
    """A label config has no place for a mask, or more than one."""


class RegionError(InputError):
    """A region's mask cannot be read."""


class FrameError(RegionError):
    """A region's image has another size than the task's, or the region has no size."""


class EmptyMaskError(RegionError):
    """A drawn region covers no pixel, which is not the same as an answer without a referent."""


class RegionKindError(RegionError):
    """A region was drawn with a tool that makes no mask."""


class ChoiceError(InputError):
    """The choices of an answer do not select one mask."""


class EventError(InputError):
    """A webhook's body cannot be read."""


class OversizedError(InputError):
    """A body would take far more memory than its size."""


class ImageError(BackendError):
    """An image cannot be loaded."""


class ImageUnreachable(ImageError):
    """The file of an image cannot be fetched."""


class ImageUnreadable(ImageError):
    """A file is not an image that can be decoded."""


class WeightsError(BackendError):
    """A model file is missing or damaged."""


class DescriberError(BackendError):
    """The describer is down, refuses or is too slow."""


class EndpointError(BackendError):
    """The server of a vision-language model is down, refuses, is too slow, or may not be called now."""


class GroundingError(BackendError):
    """The answer of a vision-language model gives no place in the image."""


class StoreError(BackendError):
    """The database is missing, locked, read-only or at another revision."""


class StoreRefusal(StoreError):
    """The database refuses a value: the same call is refused each time."""


class SettingsError(BackendError):
    """A setting is not allowed, or does not fit another one."""


class LabelStudioError(BackendError):
    """Label Studio refused or did not answer."""


class LabelStudioRefusal(LabelStudioError):
    """Label Studio refused; the call changed nothing."""


class LabelStudioDenied(LabelStudioRefusal):
    """Label Studio refused the API key; another key may be allowed to do this."""


class LabelStudioMissing(LabelStudioRefusal):
    """Label Studio has nothing there: it was deleted, or our user may not know of it."""


class UntrustedError(LabelStudioError):
    """The certificate of Label Studio or of an image host is not trusted."""


class DatasetError(BackendError):
    """A dataset or an export cannot be read or written."""


class NotReady(BackendError):
    """The networks are loading, the server stops, or the deadline has passed."""
