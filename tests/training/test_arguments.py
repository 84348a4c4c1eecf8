import torch

from training.arguments import make_training_parser, prepare_training


def test_a_training_has_its_own_defaults_and_starts_from_its_seed(tmp_path):
    parser = make_training_parser("Train a network.\n\nMore.", steps=7, seed=5)
    args = parser.parse_args(["--out", str(tmp_path / "new" / "folder")])
    threads = torch.get_num_threads()

    prepare_training(args)
    torch.set_num_threads(threads)
    first = torch.rand(3)

    assert (parser.description, args.steps, args.seed, args.threads) == ("Train a network.", 7, 5, 1)
    assert args.out.is_dir()
    assert torch.equal(first, torch.rand(3, generator=torch.Generator().manual_seed(5)))
