"""The exercises of lesson 2.2: one step of an LSTM, layers that read behind one another, how far an error reaches."""

import math

from helpers.exercises import FunctionExercise, number, whole_number

# Exercise 1: one step of an LSTM with one cell


def my_step(let_in: float, keep: float, let_out: float, candidate: float, cell: float) -> float:
    """Return what one LSTM cell says after a step, from the four mixed sums and its content before."""
    gates = [1 / (1 + math.exp(-z)) for z in (let_in, keep, let_out)]
    cell = gates[1] * cell + gates[0] * math.tanh(candidate)
    return gates[2] * math.tanh(cell)


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


step = FunctionExercise(
    "step",
    "Write `my_step(let_in, keep, let_out, candidate, cell)`: what an LSTM with one cell says after a step, where the "
    "first four are the mixed sums, before any squashing, and `cell` is the cell's content before the step.",
    [
        "Which of the four sums become gates, and which squashing gives a number from 0 to 1?",
        "First the cell: what it held times the gate that keeps, plus the squashed candidate times the gate that lets "
        "in. Then what is said.",
        "`cell = sigmoid(keep) * cell + sigmoid(let_in) * tanh(candidate)`, and the answer is "
        "`sigmoid(let_out) * tanh(cell)`.",
    ],
    my_step,
    cases=[
        (0.0, 0.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, 0.0, 0.0, 2.0),
        (0.0, 0.0, 0.0, 1.0, 0.0),
        (1.0, -1.0, 2.0, 0.5, 1.5),
        (-2.0, 3.0, 0.5, -1.0, -0.7),
        (0.3, 5.0, -1.0, 2.0, 4.0),
        (4.0, -4.0, 4.0, -0.2, 3.0),
    ],
    read=number,
    noun="what the cell says",
)


@step.mistake
def returns_the_cell(let_in, keep, let_out, candidate, cell):
    """You return the cell's content. What is said is that content squashed by tanh, times the gate that lets out."""
    return _sigmoid(keep) * cell + _sigmoid(let_in) * math.tanh(candidate)


@step.mistake
def does_not_squash_the_cell(let_in, keep, let_out, candidate, cell):
    """You let the cell's content out as it is. It is squashed by tanh first, so that what is said stays between -1
    and 1."""
    return _sigmoid(let_out) * returns_the_cell(let_in, keep, let_out, candidate, cell)


@step.mistake
def leaves_the_gate_out_open(let_in, keep, let_out, candidate, cell):
    """You forgot the third gate: the squashed cell is multiplied by `sigmoid(let_out)` before it is said."""
    return math.tanh(returns_the_cell(let_in, keep, let_out, candidate, cell))


@step.mistake
def does_not_squash_the_candidate(let_in, keep, let_out, candidate, cell):
    """You add the candidate as it is. It is squashed by tanh before the gate lets it in."""
    return _sigmoid(let_out) * math.tanh(_sigmoid(keep) * cell + _sigmoid(let_in) * candidate)


@step.mistake
def squashes_the_candidate_to_a_gate(let_in, keep, let_out, candidate, cell):
    """You use the sigmoid for the candidate too. Only gates are between 0 and 1; a candidate may be negative, so it
    takes tanh."""
    return _sigmoid(let_out) * math.tanh(_sigmoid(keep) * cell + _sigmoid(let_in) * _sigmoid(candidate))


@step.mistake
def uses_tanh_for_gates(let_in, keep, let_out, candidate, cell):
    """Your gates go from -1 to 1, by tanh. A gate is a share from 0 to 1: it takes the sigmoid."""
    return math.tanh(let_out) * math.tanh(math.tanh(keep) * cell + math.tanh(let_in) * math.tanh(candidate))


@step.mistake
def uses_the_sums_as_gates(let_in, keep, let_out, candidate, cell):
    """You multiply by the mixed sums themselves. They may be any number: the sigmoid makes gates of them."""
    return let_out * math.tanh(keep * cell + let_in * math.tanh(candidate))


@step.mistake
def forgets_what_was_kept(let_in, keep, let_out, candidate, cell):
    """The cell's content from before is lost in your step. The part of it that the gate keeps is added to what is let
    in."""
    return _sigmoid(let_out) * math.tanh(_sigmoid(let_in) * math.tanh(candidate))


@step.mistake
def always_keeps_everything(let_in, keep, let_out, candidate, cell):
    """You keep the whole old content. Multiply it by `sigmoid(keep)`; the LSTM of 1997 had no such gate, it came in
    2000."""
    return _sigmoid(let_out) * math.tanh(cell + _sigmoid(let_in) * math.tanh(candidate))


@step.mistake
def swaps_in_and_keep(let_in, keep, let_out, candidate, cell):
    """You swap two gates: `keep` belongs to the old content, `let_in` to the candidate."""
    return my_step(keep, let_in, let_out, candidate, cell)


@step.mistake
def swaps_in_and_out(let_in, keep, let_out, candidate, cell):
    """You swap two gates: `let_in` belongs to the candidate, `let_out` to what is said at the end."""
    return my_step(let_out, keep, let_in, candidate, cell)


@step.mistake
def keeps_what_is_not_let_in(let_in, keep, let_out, candidate, cell):
    """You keep one minus what is let in, as other networks do. In the LSTM `keep` is a gate of its own."""
    gate = _sigmoid(let_in)
    return _sigmoid(let_out) * math.tanh((1 - gate) * cell + gate * math.tanh(candidate))


@step.mistake
def speaks_before_it_writes(let_in, keep, let_out, candidate, cell):
    """You say what the cell held before the step. The cell is renewed first, then let out."""
    return _sigmoid(let_out) * math.tanh(cell)


# Exercise 2: layers that read behind one another


def my_waiting(layers: int, characters: int) -> int:
    """Return how many moments a stack of recurrent layers needs for a text, with as many workers as it can use."""
    ready = [0] * layers  # when each layer has finished the character before
    for _ in range(characters):
        below = 0
        for layer in range(layers):
            ready[layer] = below = max(ready[layer], below) + 1
    return ready[-1]


waiting = FunctionExercise(
    "waiting",
    "Write `my_waiting(layers, characters)`: after how many moments the top one of a stack of recurrent layers has "
    "read a text of one character or more, where a layer's step takes one moment, waits for the same layer's step "
    "before and for the layer below at the same character, and any number of steps may happen at once.",
    [
        "Draw a grid, a row for each layer and a column for each character. Which two squares must be done before a "
        "square can begin?",
        "Write into each square the moment at which it is done: one more than the larger of its left neighbour and the "
        "one below. Try two layers and three characters.",
        "The numbers grow by one with each column and by one with each row: the last square is done at "
        "`characters + layers - 1`.",
    ],
    my_waiting,
    cases=[(1, 1), (1, 5), (5, 1), (2, 3), (3, 2), (2, 2), (4, 10), (8, 100), (3, 1000)],
    read=whole_number,
    noun="the number of moments",
)


@waiting.mistake
def one_layer_after_the_other(layers, characters):
    """You let a layer wait until the one below has read the whole text. It can begin as soon as the first character is
    done below."""
    return layers * characters


@waiting.mistake
def counts_a_moment_too_many(layers, characters):
    """You count one moment too many: the corner of the grid belongs to a row and to a column, and is one step."""
    return layers + characters


@waiting.mistake
def counts_a_moment_too_few(layers, characters):
    """You count the moments between the first and the last step. The first step takes a moment as well."""
    return layers + characters - 2


@waiting.mistake
def forgets_the_layers(layers, characters):
    """You count one layer alone. When it has read the last character, those above still have to."""
    return characters


@waiting.mistake
def counts_only_the_layers(layers, characters):
    """You read all characters at once, as attention does. A recurrent layer needs its own step before."""
    return layers


@waiting.mistake
def takes_the_larger(layers, characters):
    """You take the larger of layers and characters. The path through the grid goes all along one side, and then
    along the other."""
    return max(layers, characters)


@waiting.mistake
def adds_the_layers_each_time(layers, characters):
    """You let the bottom layer wait for the top one before it reads the next character. It needs only its own step."""
    return layers * characters - characters + 1


@waiting.mistake
def takes_a_tree(layers, characters):
    """You join the characters in pairs, as a tree reduction does. A recurrent step is not associative: it must go
    one by one."""
    return layers + math.ceil(math.log2(characters))


@waiting.mistake
def forgets_the_first_character(layers, characters):
    """You begin at the second character: the first one needs a step in each layer too."""
    return my_waiting(layers, characters - 1) if characters > 1 else 0


@waiting.mistake
def counts_forward_and_back(layers, characters):
    """You count the way back as well. Asked for is reading alone, without learning."""
    return 2 * my_waiting(layers, characters)


# Exercise 3: how far an error reaches


def my_reach(keep: float, share: float) -> int:
    """Return the most steps back at which at least a share of an error is left, if each step keeps so much of it."""
    steps, left = 0, keep
    while left >= share:
        steps, left = steps + 1, left * keep
    return steps


reach = FunctionExercise(
    "reach",
    "Write `my_reach(keep, share)`: the largest number of steps back at which at least `share` of an error is left, "
    "when each step back multiplies it by `keep`, a number between 0 and 1.",
    [
        "How much is left after one step, after two, after n?",
        "After n steps `keep ** n` is left. Count upwards as long as that is at least `share`.",
        "The logarithm undoes the power: n is at most `log(share) / log(keep)`, rounded down.",
    ],
    my_reach,
    cases=[
        (0.5, 0.3),
        (0.5, 0.6),
        (0.9, 0.1),
        (0.73, 0.01),
        (0.993, 0.01),
        (0.99, 0.5),
        (0.1, 0.05),
        (0.999, 0.001),
        (0.5, 0.9),
    ],
    read=whole_number,
    noun="the number of steps",
)


@reach.mistake
def rounds_up(keep, share):
    """You go one step too far: at your answer less than `share` is left already. Round down; and the first step costs
    something too, one step back `keep` is left."""
    return math.ceil(math.log(share) / math.log(keep))


@reach.mistake
def rounds_to_the_nearest_step(keep, share):
    """You round to the nearest step, and so sometimes one too far. At least `share` must be left: round down."""
    return round(math.log(share) / math.log(keep))


@reach.mistake
def returns_a_fraction(keep, share):
    """You return the logarithm's quotient as it is. Steps are whole: round down."""
    return math.log(share) / math.log(keep)


@reach.mistake
def turns_the_quotient_over(keep, share):
    """Your quotient stands on its head: it is the logarithm of `share` by that of `keep`."""
    return math.floor(math.log(keep) / math.log(share))


@reach.mistake
def divides_without_logarithms(keep, share):
    """You divide the two numbers. What is left falls by a factor at each step, so it takes logarithms, or a loop."""
    return math.floor(keep / share)


@reach.mistake
def subtracts_each_time(keep, share):
    """You take the same amount away at each step, a straight line. Each step keeps a share of what is left then."""
    return math.floor((1 - share) / (1 - keep) + 1e-9)


@reach.mistake
def counts_until_the_share_is_lost(keep, share):
    """You ask when `share` of the error is lost. Asked for is how long at least `share` of it is left."""
    return my_reach(keep, 1 - share)


@reach.mistake
def loses_the_last_step(keep, share):
    """You stop one step too early: at one step more than your answer, at least `share` is still left."""
    return max(my_reach(keep, share) - 1, 0)


@reach.mistake
def multiplies_by_what_is_lost(keep, share):
    """You multiply by what a step loses, `1 - keep`. What is left is multiplied by `keep`."""
    return my_reach(1 - keep, share)


@reach.mistake
def takes_the_logarithm_of_the_share_alone(keep, share):
    """You use `share` alone. How fast an error fades depends on what each step keeps: divide by its logarithm."""
    return math.floor(-math.log(share))


@reach.mistake
def squares_at_each_step(keep, share):
    """You square what is left at each step, so that it falls ever faster. Multiply by `keep` each time."""
    steps, left = 0, keep
    while left >= share:
        steps, left = steps + 1, left * left
    return steps
