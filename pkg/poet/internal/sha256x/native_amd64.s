#include "textflag.h"

// State halves: "front" holds words a, b, e, f and "back" c, d, g, h, highest
// lane first, which is what SHA256RNDS2 works on. X0 carries the two summed
// words of a round pair and X7 is scratch in every macro; R8 is the table.
// round constants
DATA tab<>+0(SB)/8, $0x71374491428a2f98
DATA tab<>+8(SB)/8, $0xe9b5dba5b5c0fbcf
DATA tab<>+16(SB)/8, $0x59f111f13956c25b
DATA tab<>+24(SB)/8, $0xab1c5ed5923f82a4
DATA tab<>+32(SB)/8, $0x12835b01d807aa98
DATA tab<>+40(SB)/8, $0x550c7dc3243185be
DATA tab<>+48(SB)/8, $0x80deb1fe72be5d74
DATA tab<>+56(SB)/8, $0xc19bf1749bdc06a7
DATA tab<>+64(SB)/8, $0xefbe4786e49b69c1
DATA tab<>+72(SB)/8, $0x240ca1cc0fc19dc6
DATA tab<>+80(SB)/8, $0x4a7484aa2de92c6f
DATA tab<>+88(SB)/8, $0x76f988da5cb0a9dc
DATA tab<>+96(SB)/8, $0xa831c66d983e5152
DATA tab<>+104(SB)/8, $0xbf597fc7b00327c8
DATA tab<>+112(SB)/8, $0xd5a79147c6e00bf3
DATA tab<>+120(SB)/8, $0x1429296706ca6351
DATA tab<>+128(SB)/8, $0x2e1b213827b70a85
DATA tab<>+136(SB)/8, $0x53380d134d2c6dfc
DATA tab<>+144(SB)/8, $0x766a0abb650a7354
DATA tab<>+152(SB)/8, $0x92722c8581c2c92e
DATA tab<>+160(SB)/8, $0xa81a664ba2bfe8a1
DATA tab<>+168(SB)/8, $0xc76c51a3c24b8b70
DATA tab<>+176(SB)/8, $0xd6990624d192e819
DATA tab<>+184(SB)/8, $0x106aa070f40e3585
DATA tab<>+192(SB)/8, $0x1e376c0819a4c116
DATA tab<>+200(SB)/8, $0x34b0bcb52748774c
DATA tab<>+208(SB)/8, $0x4ed8aa4a391c0cb3
DATA tab<>+216(SB)/8, $0x682e6ff35b9cca4f
DATA tab<>+224(SB)/8, $0x78a5636f748f82ee
DATA tab<>+232(SB)/8, $0x8cc7020884c87814
DATA tab<>+240(SB)/8, $0xa4506ceb90befffa
DATA tab<>+248(SB)/8, $0xc67178f2bef9a3f7
// initial state, the halves as the round instruction holds them
DATA tab<>+256(SB)/8, $0x510e527f9b05688c
DATA tab<>+264(SB)/8, $0x6a09e667bb67ae85
DATA tab<>+272(SB)/8, $0x1f83d9ab5be0cd19
DATA tab<>+280(SB)/8, $0x3c6ef372a54ff53a
// initial state in word order
DATA tab<>+288(SB)/8, $0xbb67ae856a09e667
DATA tab<>+296(SB)/8, $0xa54ff53a3c6ef372
DATA tab<>+304(SB)/8, $0x9b05688c510e527f
DATA tab<>+312(SB)/8, $0x5be0cd191f83d9ab
// initial state plus the constants of rounds 0-7
DATA tab<>+320(SB)/8, $0x2c9ef316ac9415ff
DATA tab<>+328(SB)/8, $0x8f05d0dff22fef41
DATA tab<>+336(SB)/8, $0xf4f67a7d8a6514da
DATA tab<>+344(SB)/8, $0x06fd2beeb1c35c4f
// padding words 8-15 of a 32-byte message plus their constants
DATA tab<>+352(SB)/8, $0x12835b015807aa98
DATA tab<>+360(SB)/8, $0x550c7dc3243185be
DATA tab<>+368(SB)/8, $0x80deb1fe72be5d74
DATA tab<>+376(SB)/8, $0xc19bf2749bdc06a7
// the padding words themselves
DATA tab<>+384(SB)/8, $0x0000000080000000
DATA tab<>+392(SB)/8, $0x0000000000000000
DATA tab<>+400(SB)/8, $0x0000000000000000
DATA tab<>+408(SB)/8, $0x0000010000000000
// byte order of a word
DATA tab<>+416(SB)/8, $0x0405060700010203
DATA tab<>+424(SB)/8, $0x0c0d0e0f08090a0b
GLOBL tab<>(SB), RODATA|NOPTR, $432

// QUAD does four rounds on message words w.
#define QUAD(front, back, w, off) \
	MOVOU off(R8), X0 \
	PADDL w, X0 \
	SHA256RNDS2 X0, front, back \
	PSHUFD $0x0e, X0, X0 \
	SHA256RNDS2 X0, back, front

// FIXEDQUAD does four rounds whose summed words lie in the table.
#define FIXEDQUAD(front, back, off) \
	MOVOU off(R8), X0 \
	SHA256RNDS2 X0, front, back \
	PSHUFD $0x0e, X0, X0 \
	SHA256RNDS2 X0, back, front

// NEXT finishes the four words after w in next, which holds the first half of
// their schedule; prev are the four words before w.
#define NEXT(prev, w, next) \
	MOVO w, X7 \
	PALIGNR $4, prev, X7 \
	PADDL X7, next \
	SHA256MSG2 w, next

// EXPAND does four rounds on w, finishes next and starts the words that will
// replace prev. The schedule comes first: it is as long a chain as the rounds.
#define EXPAND(front, back, prev, w, next, off) \
	NEXT(prev, w, next) \
	QUAD(front, back, w, off) \
	SHA256MSG1 w, prev

// TAIL16 to TAIL60 are rounds 16-63, four each; words a are complete before.
#define TAIL16(front, back, a, b, c, d) EXPAND(front, back, d, a, b, 64)
#define TAIL20(front, back, a, b, c, d) EXPAND(front, back, a, b, c, 80)
#define TAIL24(front, back, a, b, c, d) EXPAND(front, back, b, c, d, 96)
#define TAIL28(front, back, a, b, c, d) EXPAND(front, back, c, d, a, 112)
#define TAIL32(front, back, a, b, c, d) EXPAND(front, back, d, a, b, 128)
#define TAIL36(front, back, a, b, c, d) EXPAND(front, back, a, b, c, 144)
#define TAIL40(front, back, a, b, c, d) EXPAND(front, back, b, c, d, 160)
#define TAIL44(front, back, a, b, c, d) EXPAND(front, back, c, d, a, 176)
#define TAIL48(front, back, a, b, c, d) EXPAND(front, back, d, a, b, 192)
#define TAIL52(front, back, a, b, c, d) \
	NEXT(a, b, c) \
	QUAD(front, back, b, 208)
#define TAIL56(front, back, a, b, c, d) \
	NEXT(b, c, d) \
	QUAD(front, back, c, 224)
#define TAIL60(front, back, a, b, c, d) QUAD(front, back, d, 240)

// RELINK starts the next hash of a chain: the words of the last digest become
// message words, the initial state being folded into the round constants. Only
// the first two words wait for the last round, so they take the shortest way.
#define RELINK(front, back, a, b) \
	PSHUFD $0x0b, front, X0 \
	MOVOU 320(R8), X7 \
	PADDL X7, X0 \
	MOVO front, a \
	SHUFPS $0xbb, back, a \
	MOVO front, b \
	SHUFPS $0x11, back, b \
	MOVOU 256(R8), front \
	MOVOU 272(R8), back \
	SHA256RNDS2 X0, front, back \
	PADDL a, X7 \
	PSHUFD $0x0e, X7, X0 \
	SHA256RNDS2 X0, back, front

// HEAD4 is rounds 4-7 of a chained hash, and makes a and b real message words.
#define HEAD4(front, back, a, b) \
	QUAD(front, back, b, 336) \
	MOVOU 288(R8), X7 \
	PADDL X7, a \
	MOVOU 304(R8), X7 \
	PADDL X7, b

// HEAD8 is rounds 8-15, whose words are padding; words 9-12 are zero, so the
// schedule of words 16-19 has nothing to add.
#define HEAD8(front, back, a, b, c, d) \
	FIXEDQUAD(front, back, 352) \
	SHA256MSG1 b, a \
	MOVOU 384(R8), c \
	SHA256MSG1 c, b \
	MOVOU 400(R8), d \
	SHA256MSG2 d, a \
	FIXEDQUAD(front, back, 368)

// ENTER turns a digest's words a, b into the state that RELINK expects, which
// is the digest less the initial state.
#define ENTER(ptr, front, back, a, b) \
	MOVOU (ptr), a \
	MOVOU 16(ptr), b \
	MOVOU 416(R8), X7 \
	PSHUFB X7, a \
	PSHUFB X7, b \
	MOVOU 288(R8), X7 \
	PSUBL X7, a \
	MOVOU 304(R8), X7 \
	PSUBL X7, b \
	MOVO b, front \
	SHUFPS $0xee, a, b \
	SHUFPS $0x44, a, front \
	PSHUFD $0xb1, front, front \
	PSHUFD $0xb1, b, back

// LEAVE stores the digest of a state that lacks the initial one.
#define LEAVE(ptr, front, back, a, b) \
	MOVO front, a \
	SHUFPS $0xbb, back, a \
	MOVO front, b \
	SHUFPS $0x11, back, b \
	MOVOU 288(R8), X7 \
	PADDL X7, a \
	MOVOU 304(R8), X7 \
	PADDL X7, b \
	MOVOU 416(R8), X7 \
	PSHUFB X7, a \
	PSHUFB X7, b \
	MOVOU a, (ptr) \
	MOVOU b, 16(ptr)

// func chainNative(digest *[32]byte, n int)
TEXT ·chainNative(SB), NOSPLIT, $0-16
	MOVQ digest+0(FP), DI
	MOVQ n+8(FP), CX
	LEAQ tab<>(SB), R8
	ENTER(DI, X1, X2, X3, X4)
	TESTQ CX, CX
	JLE  done

	PCALIGN $32
link:
	RELINK(X1, X2, X3, X4)
	HEAD4(X1, X2, X3, X4)
	HEAD8(X1, X2, X3, X4, X5, X6)
	TAIL16(X1, X2, X3, X4, X5, X6)
	TAIL20(X1, X2, X3, X4, X5, X6)
	TAIL24(X1, X2, X3, X4, X5, X6)
	TAIL28(X1, X2, X3, X4, X5, X6)
	TAIL32(X1, X2, X3, X4, X5, X6)
	TAIL36(X1, X2, X3, X4, X5, X6)
	TAIL40(X1, X2, X3, X4, X5, X6)
	TAIL44(X1, X2, X3, X4, X5, X6)
	TAIL48(X1, X2, X3, X4, X5, X6)
	TAIL52(X1, X2, X3, X4, X5, X6)
	TAIL56(X1, X2, X3, X4, X5, X6)
	TAIL60(X1, X2, X3, X4, X5, X6)
	DECQ CX
	JNZ  link

done:
	LEAVE(DI, X1, X2, X3, X4)
	RET

// func chainPairNative(first, second *[32]byte, n int)
TEXT ·chainPairNative(SB), NOSPLIT, $0-24
	MOVQ first+0(FP), DI
	MOVQ second+8(FP), SI
	MOVQ n+16(FP), CX
	LEAQ tab<>(SB), R8
	ENTER(DI, X1, X2, X3, X4)
	ENTER(SI, X8, X9, X10, X11)
	TESTQ CX, CX
	JLE  done

	PCALIGN $32
link:
	RELINK(X1, X2, X3, X4)
	RELINK(X8, X9, X10, X11)
	HEAD4(X1, X2, X3, X4)
	HEAD4(X8, X9, X10, X11)
	HEAD8(X1, X2, X3, X4, X5, X6)
	HEAD8(X8, X9, X10, X11, X12, X13)
	TAIL16(X1, X2, X3, X4, X5, X6)
	TAIL16(X8, X9, X10, X11, X12, X13)
	TAIL20(X1, X2, X3, X4, X5, X6)
	TAIL20(X8, X9, X10, X11, X12, X13)
	TAIL24(X1, X2, X3, X4, X5, X6)
	TAIL24(X8, X9, X10, X11, X12, X13)
	TAIL28(X1, X2, X3, X4, X5, X6)
	TAIL28(X8, X9, X10, X11, X12, X13)
	TAIL32(X1, X2, X3, X4, X5, X6)
	TAIL32(X8, X9, X10, X11, X12, X13)
	TAIL36(X1, X2, X3, X4, X5, X6)
	TAIL36(X8, X9, X10, X11, X12, X13)
	TAIL40(X1, X2, X3, X4, X5, X6)
	TAIL40(X8, X9, X10, X11, X12, X13)
	TAIL44(X1, X2, X3, X4, X5, X6)
	TAIL44(X8, X9, X10, X11, X12, X13)
	TAIL48(X1, X2, X3, X4, X5, X6)
	TAIL48(X8, X9, X10, X11, X12, X13)
	TAIL52(X1, X2, X3, X4, X5, X6)
	TAIL52(X8, X9, X10, X11, X12, X13)
	TAIL56(X1, X2, X3, X4, X5, X6)
	TAIL56(X8, X9, X10, X11, X12, X13)
	TAIL60(X1, X2, X3, X4, X5, X6)
	TAIL60(X8, X9, X10, X11, X12, X13)
	DECQ CX
	JNZ  link

done:
	LEAVE(DI, X1, X2, X3, X4)
	LEAVE(SI, X8, X9, X10, X11)
	RET

// LOAD reads sixteen bytes of a message block as words.
#define LOAD(off, w) \
	MOVOU off(SI), w \
	PSHUFB X10, w

// func blocksNative(digest *[32]byte, blocks *byte, n int)
TEXT ·blocksNative(SB), NOSPLIT, $0-24
	MOVQ digest+0(FP), DI
	MOVQ blocks+8(FP), SI
	MOVQ n+16(FP), CX
	LEAQ tab<>(SB), R8
	MOVOU 256(R8), X1
	MOVOU 272(R8), X2
	MOVOU 416(R8), X10
	TESTQ CX, CX
	JLE  done

block:
	MOVO X1, X8
	MOVO X2, X9
	LOAD(0, X3)
	QUAD(X1, X2, X3, 0)
	LOAD(16, X4)
	QUAD(X1, X2, X4, 16)
	SHA256MSG1 X4, X3
	LOAD(32, X5)
	QUAD(X1, X2, X5, 32)
	SHA256MSG1 X5, X4
	LOAD(48, X6)
	QUAD(X1, X2, X6, 48)
	NEXT(X5, X6, X3)
	SHA256MSG1 X6, X5
	TAIL16(X1, X2, X3, X4, X5, X6)
	TAIL20(X1, X2, X3, X4, X5, X6)
	TAIL24(X1, X2, X3, X4, X5, X6)
	TAIL28(X1, X2, X3, X4, X5, X6)
	TAIL32(X1, X2, X3, X4, X5, X6)
	TAIL36(X1, X2, X3, X4, X5, X6)
	TAIL40(X1, X2, X3, X4, X5, X6)
	TAIL44(X1, X2, X3, X4, X5, X6)
	TAIL48(X1, X2, X3, X4, X5, X6)
	TAIL52(X1, X2, X3, X4, X5, X6)
	TAIL56(X1, X2, X3, X4, X5, X6)
	TAIL60(X1, X2, X3, X4, X5, X6)
	PADDL X8, X1
	PADDL X9, X2
	ADDQ $64, SI
	DECQ CX
	JNZ  block

done:
	MOVO X1, X3
	SHUFPS $0xbb, X2, X3
	SHUFPS $0x11, X2, X1
	PSHUFB X10, X3
	PSHUFB X10, X1
	MOVOU X3, (DI)
	MOVOU X1, 16(DI)
	RET
