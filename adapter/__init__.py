"""An adapter for the label-studio-ml 2.x SDK: `label-studio-ml start adapter`."""
