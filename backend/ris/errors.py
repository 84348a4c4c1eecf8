"""Every way in which this product can fail on purpose.

    BackendError
    |- InputError                what a person gave us cannot be used
    |  |- TaskError              a task lacks its image or its expression
    |  |- LabelConfigError       a label config has no place for a mask
    |  |- RegionError            a region's mask cannot be read
    |  |  |- FrameError          a region is of a picture of another size
    |  |  |- EmptyMaskError      something was drawn and covers no pixel
    |  |  |- RegionKindError     something was drawn with a tool that gives no mask
    |  |- ChoiceError            the choices of an answer do not say which mask is meant
    |  |- EventError             a webhook's body says nothing that we understand
    |- ImageError
    |  |- ImageUnreachable       the picture could not be fetched
    |  |- ImageUnreadable        the bytes are not a picture that we can use
    |- WeightsError              a model file is missing or damaged
    |- DescriberError            the describer of images cannot be asked
    |- StoreError                the database cannot be used as it is
    |- SettingsError             a setting has no meaning
    |- LabelStudioError          Label Studio refused or did not answer
    |  |- LabelStudioRefusal     it refused: nothing of the call was done
    |  |  |- LabelStudioDenied   it does not take our key, or not for this
    |  |- UntrustedError         its certificate is not trusted
    |- DatasetError              a dataset or an export cannot be read or written
    |- NotReady                  the models are still loading, or the deadline has passed

A message is one sentence for the person who must act: what, what it got, what to do. It never holds
a secret, a whole payload or fetched bytes. Foreign exceptions become one of these at the border that
meets them, with `from`; `backend/ris/web` maps them to HTTP statuses in one table.
"""


class BackendError(Exception):
    """The root: everything that we raise on purpose."""


class InputError(BackendError):
    """What a person gave us cannot be used as it is."""


class TaskError(InputError):
    """A task lacks its image or its expression."""


class LabelConfigError(InputError):
    """A label config has no place for a mask, or more than one."""


class RegionError(InputError):
    """A region's mask cannot be read."""


class FrameError(RegionError):
    """A region is of a picture of another size than the task's, or says no size."""


class EmptyMaskError(RegionError):
    """Something was drawn and covers no pixel: that is not the same as "no such thing"."""


class RegionKindError(RegionError):
    """Something was drawn with a tool that gives no mask."""


class ChoiceError(InputError):
    """The choices of an answer do not say which mask is meant."""


class EventError(InputError):
    """A webhook's body says nothing that we understand."""


class ImageError(BackendError):
    """A picture cannot be had."""


class ImageUnreachable(ImageError):
    """The picture could not be fetched."""


class ImageUnreadable(ImageError):
    """The bytes are not a picture that we can use."""


class WeightsError(BackendError):
    """A model file is missing or damaged."""


class DescriberError(BackendError):
    """The describer of images cannot be asked: it is down, refuses, or is too slow."""


class StoreError(BackendError):
    """The database is not there, is read-only or is at another revision."""


class SettingsError(BackendError):
    """A setting has no meaning."""


class LabelStudioError(BackendError):
    """Label Studio refused, or did not answer."""


class LabelStudioRefusal(LabelStudioError):
    """Label Studio answered that it will not: nothing of the call was done."""


class LabelStudioDenied(LabelStudioRefusal):
    """Label Studio does not take our key, or not for this: what was asked may be done with another."""


class UntrustedError(LabelStudioError):
    """The certificate of Label Studio, or of a host of images, is not trusted."""


class DatasetError(BackendError):
    """A dataset or an export cannot be read or written."""


class NotReady(BackendError):
    """The models are still loading, or the deadline has passed."""
