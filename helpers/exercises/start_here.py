"""The exercise of the first page: how many of some words have a letter at a place."""

from helpers.exercises import FunctionExercise, number


def my_share(words: list, letter: str, place: int) -> float:
    """Return the share, from 0 to 1, of the words that have the letter at the place, counted from 1."""
    found = [word for word in words if word[place - 1 : place] == letter]
    return len(found) / len(words)


share = FunctionExercise(
    "share",
    "Write `my_share(words, letter, place)`: the share, from 0 to 1, of the words that have `letter` at `place`, where "
    "the first letter has place 1.",
    [
        "Do it by hand first: of `['car', 'red']`, which words have an r at place 3? How many is that, of how many?",
        "Python counts the letters of a word from 0, so place 3 is `word[2]`. A word of two letters has no `word[2]`: "
        "look at its length first, or take the slice `word[2:3]`, which is then empty.",
        "`[word for word in words if word[place - 1 : place] == letter]` are the words to count. Divide their number "
        "by the number of all words.",
    ],
    my_share,
    cases=[
        (["car"], "r", 3),
        (["red"], "r", 1),
        (["car", "red"], "r", 3),
        (["banana", "cat"], "a", 2),
        (["banana", "cat", "lava"], "a", 4),
        (["on", "car"], "r", 3),
        (["error", "arrow", "rare", "tea"], "r", 3),
        (["area", "sea", "a", "idea"], "a", 4),
        (["to", "tree", "apple", "rare", "at"], "e", 4),
        (["noon", "moon", "to", "solo", "ozone", "oboe"], "o", 3),
    ],
    read=number,
    noun="the share",
)


@share.mistake
def counts_from_zero(words, letter, place):
    """You look one letter too far to the right: Python counts from 0, so place 3 is `word[2]`."""
    return sum(word[place : place + 1] == letter for word in words) / len(words)


@share.mistake
def counts_from_zero_and_falls_off(words, letter, place):
    """Some word ends before the letter that you ask for. Two things come together here: Python counts from 0, so
    place 3 is `word[2]`, and a short word may not reach the place at all."""
    return sum(word[place] == letter for word in words) / len(words)


@share.mistake
def falls_off_short_words(words, letter, place):
    """A word shorter than the place has no letter there, and Python stops with an IndexError. Look at the length
    first, or take the slice `word[place - 1 : place]`, which is then empty."""
    return sum(word[place - 1] == letter for word in words) / len(words)


@share.mistake
def leaves_short_words_out(words, letter, place):
    """You divide by the words that are long enough. A short word does not have the letter there, but it is one of the
    words: divide by all of them."""
    long = [word for word in words if len(word) >= place]
    return sum(word[place - 1] == letter for word in long) / len(long)


@share.mistake
def returns_the_number(words, letter, place):
    """This is the number of such words. Divide it by the number of all words to get the share."""
    return sum(word[place - 1 : place] == letter for word in words)


@share.mistake
def returns_percent(words, letter, place):
    """This is the share in percent, a hundred times too large here. Return a number from 0 to 1."""
    return 100 * my_share(words, letter, place)


@share.mistake
def divides_whole_numbers(words, letter, place):
    """You divide with `//`, which drops everything after the point. Divide with `/`."""
    return sum(word[place - 1 : place] == letter for word in words) // len(words)


@share.mistake
def looks_everywhere(words, letter, place):
    """You count the words that have the letter anywhere. Look at one place only."""
    return sum(letter in word for word in words) / len(words)


@share.mistake
def looks_up_to_the_place(words, letter, place):
    """You count the words that have the letter at the place or before it. Look at one place only."""
    return sum(letter in word[:place] for word in words) / len(words)


@share.mistake
def takes_the_first_one_only(words, letter, place):
    """You find each word's first such letter and ask where it is. A word may have the letter there and earlier too,
    as 'error' has its r: look at the place itself."""
    return sum(word.find(letter) == place - 1 for word in words) / len(words)


@share.mistake
def counts_from_the_end(words, letter, place):
    """You count the places from the end of the word. A minus before a place does that: count from the beginning."""
    return sum(len(word) >= place and word[-place] == letter for word in words) / len(words)


@share.mistake
def divides_by_letters(words, letter, place):
    """You divide by the number of letters in all the words. Divide by the number of words."""
    return sum(word[place - 1 : place] == letter for word in words) / sum(map(len, words))


@share.mistake
def stops_at_the_first_word(words, letter, place):
    """You return inside the loop, so only the first word is looked at. Count through all words, and return after
    the loop."""
    return 1 / len(words) if words[0][place - 1 : place] == letter else 0.0


@share.mistake
def returns_the_others(words, letter, place):
    """This is the share of the words that do *not* have the letter there. Check the comparison: `==`, not `!=`."""
    return 1 - my_share(words, letter, place)
