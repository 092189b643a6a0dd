// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unpack a gzip file in memory (RFC 1951, RFC 1952): what /proc/config.gz needs.
 */

#include <stdlib.h>
#include <string.h>

#include "swap.h"

#define LONGEST_CODE 15
#define MOST_SYMBOLS 288
#define LARGEST (128 << 20)

struct stream {
	const unsigned char *in;
	size_t left;
	unsigned long bits;
	unsigned int held;
	char *out;
	size_t length;
	size_t room;
	bool bad;
};

/* A Huffman code in its canonical form: how many codes of each length, and what for. */
struct code {
	unsigned short count[LONGEST_CODE + 1];
	unsigned short symbol[MOST_SYMBOLS];
};

static unsigned int take(struct stream *s, unsigned int count)
{
	unsigned int value;

	while (s->held < count) {
		if (!s->left) {
			s->bad = true;
			return 0;
		}
		s->bits |= (unsigned long)*s->in++ << s->held;
		s->left--;
		s->held += 8;
	}
	value = s->bits & ((1UL << count) - 1);
	s->bits >>= count;
	s->held -= count;
	return value;
}

static void put(struct stream *s, char byte)
{
	if (s->length == s->room) {
		char *more = s->room < LARGEST ? realloc(s->out, 2 * s->room) : NULL;

		if (!more) {
			s->bad = true;
			return;
		}
		s->out = more;
		s->room *= 2;
	}
	s->out[s->length++] = byte;
}

static void build(struct code *code, const unsigned char *lengths, unsigned int count)
{
	unsigned short next[LONGEST_CODE + 1] = { 0 };
	unsigned int i;

	memset(code, 0, sizeof(*code));
	for (i = 0; i < count; i++)
		code->count[lengths[i]]++;
	code->count[0] = 0;
	for (i = 1; i < LONGEST_CODE; i++)
		next[i + 1] = next[i] + code->count[i];
	for (i = 0; i < count; i++)
		if (lengths[i])
			code->symbol[next[lengths[i]]++] = i;
}

static unsigned int decode(struct stream *s, const struct code *code)
{
	int value = 0, first = 0, index = 0;
	unsigned int length;

	for (length = 1; length <= LONGEST_CODE && !s->bad; length++) {
		value |= take(s, 1);
		if (value - first < code->count[length])
			return code->symbol[index + value - first];
		index += code->count[length];
		first = (first + code->count[length]) << 1;
		value <<= 1;
	}
	s->bad = true;
	return 0;
}

static void copy_back(struct stream *s, unsigned int symbol, const struct code *distances)
{
	static const unsigned short bases[] = {
		1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769,
		1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577
	};
	unsigned int length, i = symbol - 257, extra = i < 8 || i == 28 ? 0 : (i - 4) / 4;
	size_t far;

	length = i < 8 ? i + 3 : i == 28 ? 258 : ((4 + (i & 3)) << extra) + 3;
	length += take(s, extra);
	i = decode(s, distances);
	if (i >= sizeof(bases) / sizeof(*bases)) {
		s->bad = true;
		return;
	}
	far = bases[i] + take(s, i < 4 ? 0 : i / 2 - 1);
	if (far > s->length)
		s->bad = true;
	for (; length && !s->bad; length--)
		put(s, s->out[s->length - far]);
}

static void block(struct stream *s, const struct code *literals, const struct code *distances)
{
	while (!s->bad) {
		unsigned int symbol = decode(s, literals);

		if (symbol == 256)
			return;
		if (symbol < 256)
			put(s, symbol);
		else if (symbol <= 285)
			copy_back(s, symbol, distances);
		else
			s->bad = true;
	}
}

static void stored(struct stream *s)
{
	unsigned int length;

	s->bits = 0;
	s->held = 0;
	length = take(s, 16);
	if (take(s, 16) != (length ^ 0xffff))
		s->bad = true;
	for (; length && !s->bad; length--)
		put(s, take(s, 8));
}

static void fixed(struct stream *s)
{
	unsigned char lengths[MOST_SYMBOLS + 30];
	struct code literals, distances;

	memset(lengths, 8, 144);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + 280, 8, 8);
	memset(lengths + 288, 5, 30);
	build(&literals, lengths, MOST_SYMBOLS);
	build(&distances, lengths + MOST_SYMBOLS, 30);
	block(s, &literals, &distances);
}

static void dynamic(struct stream *s)
{
	static const unsigned char order[] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3,
					       13, 2, 14, 1, 15 };
	unsigned int literal_count = take(s, 5) + 257, all = literal_count + take(s, 5) + 1;
	unsigned int i, count = take(s, 4) + 4;
	unsigned char lengths[320 + 138] = { 0 };
	struct code code, distances;

	for (i = 0; i < count; i++)
		lengths[order[i]] = take(s, 3);
	build(&code, lengths, 19);
	memset(lengths, 0, sizeof(lengths));
	for (i = 0; i < all && !s->bad;) {
		unsigned int symbol = decode(s, &code), repeat;

		if (symbol < 16) {
			lengths[i++] = symbol;
			continue;
		}
		if (symbol == 16 && !i)
			s->bad = true;
		repeat = symbol == 16 ? 3 + take(s, 2) : symbol == 17 ? 3 + take(s, 3) :
							 11 + take(s, 7);
		memset(lengths + i, symbol == 16 && i ? lengths[i - 1] : 0, repeat);
		i += repeat;
	}
	if (i > all || literal_count > MOST_SYMBOLS - 2 || all - literal_count > 30)
		s->bad = true;
	if (s->bad)
		return;
	build(&code, lengths, literal_count);
	build(&distances, lengths + literal_count, all - literal_count);
	block(s, &code, &distances);
}

/* The header and its optional parts. */
static void skip_header(struct stream *s)
{
	unsigned int magic = take(s, 16), method = take(s, 8), flags = take(s, 8), i;

	if (magic != 0x8b1f || method != 8)
		s->bad = true;
	for (i = 0; i < 6; i++)
		take(s, 8);
	if (flags & 4)
		for (i = take(s, 16); i && !s->bad; i--)
			take(s, 8);
	for (i = flags & 8 ? 1 : 0; i && !s->bad;)
		i = take(s, 8);
	for (i = flags & 16 ? 1 : 0; i && !s->bad;)
		i = take(s, 8);
	if (flags & 2)
		take(s, 16);
}

/**
 * inflate_gzip() - unpack a gzip file
 * @data: of the file; its checksum is not looked at
 * @size: of @data
 * @length: gets the length of the text
 *
 * Return: the text and a NUL, for free(), or NULL where the file is broken
 */
char *inflate_gzip(const unsigned char *data, size_t size, size_t *length)
{
	struct stream s = { .in = data, .left = size, .room = 1 << 16 };
	unsigned int last, type;

	s.out = malloc(s.room);
	if (!s.out)
		return NULL;
	skip_header(&s);
	do {
		last = take(&s, 1);
		type = take(&s, 2);
		if (type == 0)
			stored(&s);
		else if (type == 1)
			fixed(&s);
		else if (type == 2)
			dynamic(&s);
		else
			s.bad = true;
	} while (!last && !s.bad);
	put(&s, '\0');
	if (s.bad) {
		free(s.out);
		return NULL;
	}
	*length = s.length - 1;
	return s.out;
}
