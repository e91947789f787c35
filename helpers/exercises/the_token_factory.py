"""The exercises of lesson 1.5: operations a token, bytes of the cache, where it turns, and the batch to pay for."""

import math

from helpers.exercises import FunctionExercise, number, number_or_none, whole_number

# Exercise 1: operations a token


def my_operations(width: int, layers: int, vocabulary: int, wider: int, positions: int) -> int:
    """Return how many operations one more token takes with `positions` tokens in the key-value cache."""
    a_layer = 4 * width**2 + 2 * wider * width**2  # attention's matrices, the feed-forward net's
    weights = layers * a_layer + width * vocabulary
    attention = 2 * layers * width * positions  # one product with the keys, one with the values
    return 2 * (weights + attention)  # a multiplication and an addition each


operations = FunctionExercise(
    "operations",
    "Write `my_operations(width, layers, vocabulary, wider, positions)`: how many operations one more token takes, "
    "with a feed-forward net `wider` times as wide as the layer and `positions` tokens in the key-value cache.",
    [
        "Every weight of a matrix meets one number of the token: one multiplication and one addition. So count the "
        "weights first.",
        "A layer has four square matrices for attention (`width` times `width`) and two for the feed-forward net, up "
        "and down (`width` times `wider * width` each). The head has `width * vocabulary` weights. The embedding is a "
        "look-up.",
        "Attention has no weights of its own, but in each layer the query meets every key, and the shares meet every "
        "value: twice `width * positions` multiplications, and as many additions.",
    ],
    my_operations,
    cases=[
        (2, 1, 3, 1, 0),
        (2, 1, 3, 4, 1),
        (4, 2, 5, 3, 3),
        (8, 3, 10, 2, 7),
        (64, 2, 100, 4, 64),
        (960, 2, 96, 4, 8),
        (16384, 126, 128256, 3, 1000),
    ],
    read=whole_number,
    noun="the count",
)


def _count(width, layers, vocabulary, wider, positions, squares=4, nets=2, heads=1, attention=2, each=2):
    """The count with its parts set wrong."""
    a_layer = (squares + nets * wider) * width**2
    return each * (layers * a_layer + heads * width * vocabulary + attention * layers * width * positions)


@operations.mistake
def counts_multiplications_alone(*sizes):
    """You count the multiplications. Each product is also added to a sum: two operations a weight."""
    return _count(*sizes, each=1)


@operations.mistake
def leaves_attention_out(*sizes):
    """You count the weights' operations alone. Attention has none of its own, yet the query meets every key in the
    cache and the shares meet every value."""
    return _count(*sizes, attention=0)


@operations.mistake
def leaves_the_head_out(*sizes):
    """The head is missing: it turns the `width` numbers into one score for each token of the vocabulary."""
    return _count(*sizes, heads=0)


@operations.mistake
def counts_the_embedding(*sizes):
    """You count the embedding as a product. It is a look-up: one row is read and nothing is multiplied."""
    return _count(*sizes, heads=2)


@operations.mistake
def counts_one_layer(width, layers, *others):
    """You count a single layer. All of `layers` stand one above the other, and each token passes through all."""
    return _count(width, 1, *others)


@operations.mistake
def gives_each_layer_a_head(width, layers, *others):
    """You multiply the head by the layers as well. There is one head, above the last layer."""
    return _count(width, layers, *others, heads=layers)


@operations.mistake
def meets_the_keys_alone(*sizes):
    """Your attention meets the keys or the values, not both. The query meets every key, then the shares every value."""
    return _count(*sizes, attention=1)


@operations.mistake
def counts_the_net_once(*sizes):
    """Your feed-forward net has one matrix. It has two: one up to `wider * width` and one down again."""
    return _count(*sizes, nets=1)


@operations.mistake
def takes_the_lessons_net(width, layers, vocabulary, wider, positions):
    """Your feed-forward net is four times as wide, as in the lesson. Here it is `wider` times as wide."""
    return _count(width, layers, vocabulary, 4, positions)


@operations.mistake
def widens_both_ways(width, layers, vocabulary, wider, positions):
    """You square `wider`. Each matrix of the net is wide on one side only: `width` times `wider * width`."""
    return _count(width, layers, vocabulary, wider**2, positions)


@operations.mistake
def forgets_the_mixing_matrix(*sizes):
    """You count three matrices for attention. After query, key and value there is a fourth, which mixes the heads."""
    return _count(*sizes, squares=3)


@operations.mistake
def forgets_attentions_matrices(*sizes):
    """You count the feed-forward net's matrices alone. Attention has four square ones in every layer: query, key, value
    and the one that mixes the heads."""
    return _count(*sizes, squares=0)


@operations.mistake
def forgets_the_square(width, layers, vocabulary, wider, positions):
    """A matrix of `width` rows and `width` columns has `width ** 2` weights; you count `width`."""
    return 2 * ((4 + 2 * wider) * layers * width + width * vocabulary + 2 * layers * width * positions)


@operations.mistake
def attends_from_every_position(width, layers, vocabulary, wider, positions):
    """Your attention grows with the square of `positions`. With the cache, one new query alone meets the keys."""
    return _count(width, layers, vocabulary, wider, positions**2)


@operations.mistake
def works_the_whole_text_again(*sizes):
    """You work through all the tokens again. With the cache the old ones rest: only the new token meets the weights."""
    return max(sizes[-1], 1) * _count(*sizes)


@operations.mistake
def counts_a_training_step(*sizes):
    """Six operations a weight are the count for training, which goes forward and backward. Writing a token only goes
    forward: two."""
    return _count(*sizes, each=6)


@operations.mistake
def counts_bytes(*sizes):
    """You count four bytes a weight: that is what is read, not what is computed. A weight takes two operations."""
    return _count(*sizes, each=4)


@operations.mistake
def returns_a_float_count(*sizes):
    """The number is right, but a count is a whole number: use whole numbers throughout, or `//` in place of `/`."""
    return float(_count(*sizes))


# Exercise 2: bytes of the cache


def my_cache_bytes(batch: int, layers: int, width: int, positions: int, bits: int) -> int:
    """Return the bytes of the key-value cache of `batch` texts of `positions` tokens, at `bits` bits a number."""
    numbers = 2 * batch * layers * width * positions  # a key and a value each
    return numbers * bits // 8


cache_bytes = FunctionExercise(
    "cache_bytes",
    "Write `my_cache_bytes(batch, layers, width, positions, bits)`: the bytes of the key-value cache of `batch` texts "
    "of `positions` tokens each, at `bits` bits a number.",
    [
        "Take one token of one text in one layer. What of it does the cache keep, and how many numbers is that?",
        "A key and a value, of `width` numbers each. That happens in every layer, for every token, in every text.",
        "Multiply 2, `batch`, `layers`, `width` and `positions`; then turn bits into bytes with `* bits // 8`.",
    ],
    my_cache_bytes,
    cases=[
        (1, 1, 2, 3, 8),
        (1, 1, 2, 3, 16),
        (2, 1, 4, 3, 32),
        (3, 2, 8, 5, 16),
        (5, 3, 8, 10, 4),
        (64, 4, 128, 64, 32),
        (128, 126, 1024, 2000, 16),
    ],
    read=whole_number,
    noun="the cache's size",
)


def _cache(batch, layers, width, positions, bits, kept=2, per_byte=8):
    return kept * batch * layers * width * positions * bits // per_byte


@cache_bytes.mistake
def keeps_keys_alone(*sizes):
    """You keep the keys or the values. Attention needs both of every earlier token."""
    return _cache(*sizes, kept=1)


@cache_bytes.mistake
def keeps_queries_too(*sizes):
    """You keep query, key and value. A query is used once, when its token is new; nobody asks for it again."""
    return _cache(*sizes, kept=3)


@cache_bytes.mistake
def shares_one_cache(batch, *others):
    """Your cache does not grow with the batch. The weights are shared by all texts; each text has keys and values of
    its own."""
    return _cache(1, *others)


@cache_bytes.mistake
def keeps_one_layer(batch, layers, *others):
    """You keep one layer. Every layer has its own keys and values."""
    return _cache(batch, 1, *others)


@cache_bytes.mistake
def keeps_one_token(batch, layers, width, positions, bits):
    """You keep one token. The cache holds a key and a value for each of `positions`."""
    return _cache(batch, layers, width, 1, bits)


@cache_bytes.mistake
def keeps_every_pair(batch, layers, width, positions, bits):
    """Your cache grows with the square of `positions`. It holds one key and value a token, not one for each pair."""
    return _cache(batch, layers, width, positions**2, bits)


@cache_bytes.mistake
def counts_tokens_not_numbers(batch, layers, width, positions, bits):
    """The width is missing: a key is a list of `width` numbers, not one."""
    return _cache(batch, layers, 1, positions, bits)


@cache_bytes.mistake
def returns_bits(*sizes):
    """You return bits. A byte has 8 of them: divide."""
    return _cache(*sizes, per_byte=1)


@cache_bytes.mistake
def multiplies_by_eight(*sizes):
    """You multiply by 8 where you should divide: 8 bits make one byte, so there are fewer bytes than bits."""
    return 8 * _cache(*sizes, per_byte=1)


@cache_bytes.mistake
def takes_four_bytes(batch, layers, width, positions, bits):
    """You take four bytes a number, whatever `bits` says. 16 bits are two bytes, 4 bits half a byte."""
    return _cache(batch, layers, width, positions, 32)


@cache_bytes.mistake
def takes_two_bytes(batch, layers, width, positions, bits):
    """You take two bytes a number, whatever `bits` says. 32 bits are four bytes, 8 bits are one."""
    return _cache(batch, layers, width, positions, 16)


@cache_bytes.mistake
def rounds_bytes_a_number(batch, layers, width, positions, bits):
    """You round the bytes of one number before you multiply, so that 4 bits become no byte at all. Multiply first and
    divide at the end."""
    return 2 * batch * layers * width * positions * (bits // 8)


@cache_bytes.mistake
def returns_a_number_of_numbers(batch, layers, width, positions, bits):
    """You count the numbers that are kept. The answer is in bytes: times `bits`, divided by 8."""
    return 2 * batch * layers * width * positions


@cache_bytes.mistake
def returns_a_float_of_bytes(*sizes):
    """The number is right, but `/` makes it a float. Bytes are whole: divide with `//`."""
    return float(_cache(*sizes))


# Exercise 3: where the roofline turns


def my_turn(bits: float, flops: float, bandwidth: float) -> float:
    """Return the batch at which reading the weights takes as long as the operations on them."""
    seconds_to_read = bits / 8 / bandwidth  # one weight, whatever the batch
    seconds_to_use = 2 / flops  # one weight, for each text of the batch
    return seconds_to_read / seconds_to_use


turn = FunctionExercise(
    "turn",
    "Write `my_turn(bits, flops, bandwidth)`: the batch at which reading the weights, of `bits` bits each, takes as "
    "long as the operations on them, at `flops` operations and `bandwidth` bytes a second.",
    [
        "How long does it take to read one weight? And how long to use it for one token?",
        "Reading: `bits / 8` bytes, divided by `bandwidth`. Using it: 2 operations, divided by `flops`, once for every "
        "text of the batch.",
        "The two are equal where `bits / 8 / bandwidth` is the batch times `2 / flops`. Solve for the batch.",
    ],
    my_turn,
    cases=[
        (8, 16.0, 1.0),
        (32, 16.0, 3.0),
        (16, 100.0, 4.0),
        (4, 30.0, 2.5),
        (32, 3e11, 2.7e10),
        (16, 989e12, 3.35e12),
        (8, 1979e12, 3.35e12),
    ],
    read=number,
    noun="the turn",
)


@turn.mistake
def reads_bits(bits, flops, bandwidth):
    """You treat bits as bytes: a weight of 16 bits is 2 bytes. Divide by 8."""
    return 8 * my_turn(bits, flops, bandwidth)


@turn.mistake
def counts_one_operation(bits, flops, bandwidth):
    """You count one operation a weight. It is multiplied and added: two, so the turn comes at half the batch."""
    return 2 * my_turn(bits, flops, bandwidth)


@turn.mistake
def multiplies_by_the_two_operations(bits, flops, bandwidth):
    """You multiply by the two operations where you should divide: more operations a weight bring the turn sooner."""
    return 4 * my_turn(bits, flops, bandwidth)


@turn.mistake
def turns_the_fraction_over(bits, flops, bandwidth):
    """Your fraction stands on its head: a faster processor waits longer for memory, so the turn comes at a larger
    batch."""
    return 1 / my_turn(bits, flops, bandwidth)


@turn.mistake
def returns_operations_a_byte(bits, flops, bandwidth):
    """You return the machine's operations a byte, which is the turn for weights of two bytes alone. A weight has
    `bits / 8` bytes and takes two operations a text."""
    return flops / bandwidth


@turn.mistake
def returns_bytes_an_operation(bits, flops, bandwidth):
    """You return the machine's bytes for each operation. A batch is asked for, and the weight's own bytes belong in."""
    return bandwidth / flops


@turn.mistake
def takes_weights_of_four_bytes(bits, flops, bandwidth):
    """You take four bytes a weight, whatever `bits` says. With fewer bits the weights are read sooner, and the turn
    comes earlier."""
    return my_turn(32, flops, bandwidth)


@turn.mistake
def divides_by_the_bits(bits, flops, bandwidth):
    """You divide by the bytes of a weight. Larger weights take longer to read, so the turn moves to a larger batch."""
    return flops / bandwidth / 2 / (bits / 8)


@turn.mistake
def forgets_the_bits(bits, flops, bandwidth):
    """You halve the machine's operations a byte and leave out how many bytes a weight has."""
    return flops / bandwidth / 2


@turn.mistake
def cuts_the_turn_off(bits, flops, bandwidth):
    """You cut the fraction off. The turn is where two lines meet, and may lie between two whole batches."""
    return int(my_turn(bits, flops, bandwidth))


@turn.mistake
def rounds_the_turn_up(bits, flops, bandwidth):
    """You round up. The turn is where two lines meet, and may lie between two whole batches: keep the fraction."""
    return math.ceil(my_turn(bits, flops, bandwidth))


# Exercise 4: the batch that pays


def my_batch_needed(
    tokens_a_dollar: float, dollars_an_hour: float, parameters: float, bits: float, flops: float, bandwidth: float
) -> int | None:
    """Return the least batch that gives so many tokens a dollar, or None where no batch does."""
    seconds = 3600 / dollars_an_hour / tokens_a_dollar  # of the chip, that one token may take
    if 2 * parameters / flops > seconds:
        return None
    return math.ceil(parameters * bits / 8 / bandwidth / seconds)


batch_needed = FunctionExercise(
    "batch_needed",
    "Write `my_batch_needed(tokens_a_dollar, dollars_an_hour, parameters, bits, flops, bandwidth)`: the least whole "
    "batch that gives so many tokens a dollar, or None where no batch does.",
    [
        "Begin with the budget: a dollar rents the chip for `3600 / dollars_an_hour` seconds, and that must do for "
        "`tokens_a_dollar` tokens. How many seconds of the chip may one token take?",
        "Arithmetic first: a token takes `2 * parameters / flops` seconds, whatever the batch. Where that is more than "
        "the budget, no batch helps: return None.",
        "Else share the reading: the weights take `parameters * bits / 8 / bandwidth` seconds a step. Divide them by "
        "the budget, and round up to a whole batch with `math.ceil`.",
    ],
    my_batch_needed,
    cases=[
        (700, 1.0, 10.0, 8, 1000.0, 7.0),
        (1000, 2.0, 10.0, 16, 1000.0, 7.0),
        (1000, 2.0, 10.0, 16, 4.0, 7.0),
        (900, 3.0, 10.0, 8, 15.5, 7.0),
        (333, 2.5, 12.0, 4, 500.0, 11.0),
        (900, 3.0, 10.0, 8, 14.5, 7.0),
        (1e6, 2.5, 5e11, 8, 0.4 * 1979e12, 3.35e12),
        (1e6, 2.5, 5e11, 16, 0.4 * 989e12, 3.35e12),
        (5e5, 2.5, 5e11, 16, 0.4 * 989e12, 3.35e12),
    ],
    read=number_or_none,
    noun="the batch",
)


def _needed(tokens, price, parameters, bits, flops, bandwidth, finish=math.ceil, hour=3600, wall=2, none=None, eight=8):
    """The batch with its parts set wrong."""
    seconds = hour / price / tokens
    if wall * parameters / flops > seconds:
        return none
    return finish(parameters * bits / eight / bandwidth / seconds)


@batch_needed.mistake
def never_gives_up(*given):
    """You never return None. Where the arithmetic alone takes longer than the budget, a larger batch does not help:
    it shares the reading, and nothing else."""
    return _needed(*given, wall=0)


@batch_needed.mistake
def returns_zero_for_none(*given):
    """Where no batch does, you return 0, which reads as a batch of nobody. Return None."""
    return _needed(*given, none=0)


@batch_needed.mistake
def returns_the_turn_for_none(tokens, price, parameters, bits, flops, bandwidth):
    """Where no batch does, you return the batch of the turn. That is as cheap as it gets, and still too dear: return
    None."""
    answer = my_batch_needed(tokens, price, parameters, bits, flops, bandwidth)
    return answer or math.ceil(my_turn(bits, flops, bandwidth))


@batch_needed.mistake
def rounds_down(*given):
    """You round down, and then the price is missed by a little. The least batch that is enough: round up."""
    return _needed(*given, finish=math.floor)


@batch_needed.mistake
def rounds_to_the_nearest(*given):
    """You round to the nearest whole batch, which is too small half of the time. Round up."""
    return _needed(*given, finish=round)


@batch_needed.mistake
def keeps_the_fraction(*given):
    """You keep the fraction. Nobody serves a part of a text: round up to a whole batch."""
    return _needed(*given, finish=float)


@batch_needed.mistake
def reads_bits_not_bytes(*given):
    """You read `bits` bytes a weight. A byte has 8 bits: divide."""
    return _needed(*given, eight=1)


@batch_needed.mistake
def pays_by_the_minute(*given):
    """You take 60 seconds for an hour. It has 3,600."""
    return _needed(*given, hour=60)


@batch_needed.mistake
def pays_by_the_second(*given):
    """You divide by the price of an hour as if it were that of a second. A dollar buys `3600 / dollars_an_hour`
    seconds."""
    return _needed(*given, hour=1)


@batch_needed.mistake
def counts_one_operation_a_weight(*given):
    """Your arithmetic takes one operation a weight, so that you promise a batch where none does. It takes two."""
    return _needed(*given, wall=1)


@batch_needed.mistake
def adds_the_two_times(tokens, price, parameters, bits, flops, bandwidth):
    """You let reading and arithmetic wait for each other. They go on at the same time: the longer of the two counts,
    not their sum."""
    left = 3600 / price / tokens - 2 * parameters / flops
    return math.ceil(parameters * bits / 8 / bandwidth / left) if left > 0 else None


@batch_needed.mistake
def multiplies_by_the_price(tokens, price, *others):
    """You multiply the hour by its price. A dearer hour leaves fewer seconds for a dollar: divide."""
    return _needed(tokens, 1 / price, *others)


@batch_needed.mistake
def forgets_the_price(tokens, price, *others):
    """You leave out the price of an hour: your batch is right at one dollar only."""
    return _needed(tokens, 1.0, *others)


@batch_needed.mistake
def gives_up_too_early(*given):
    """You give up where a token's arithmetic takes more than half of its budget. It may take all of it."""
    return _needed(*given, wall=4)
