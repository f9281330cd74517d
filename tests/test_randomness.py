import threading

import torch

from core.randomness import derive, private_draws


def test_seeds_differ_by_purpose_and_counter():
    seeds = {derive(seed, purpose, i) for seed in range(20) for purpose in ("a", "b") for i in range(20)}
    assert len(seeds) == 800
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive(1, "a", 2) == derive(1, "a", 2)


def test_the_global_generator_is_as_it_was_even_after_an_error():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    try:
        with private_draws(9):
            torch.rand(100)
            raise ValueError
    except ValueError:
        pass
    assert torch.equal(torch.rand(4), expected)


def test_threads_that_draw_at_once_each_get_their_own():
    def draw(seed, into):
        for i in range(50):
            with private_draws(derive(seed, "x", i)):
                into.append(torch.rand(3))

    alone: dict[int, list] = {seed: [] for seed in range(4)}
    together: dict[int, list] = {seed: [] for seed in range(4)}
    for seed, into in alone.items():
        draw(seed, into)
    threads = [threading.Thread(target=draw, args=item) for item in together.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in alone:
        assert all(torch.equal(a, b) for a, b in zip(alone[seed], together[seed], strict=True))
