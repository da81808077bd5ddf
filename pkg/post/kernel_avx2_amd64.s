#include "textflag.h"

// Four labels in two groups. A Y register holds a row of two labels; all rows lie
// in an aligned part of the frame at BX: the first group's eight rows of 32 bytes,
// then the second's. Row 4 begins the last block.

DATA rotations<>+0(SB)/8, $0x0504070601000302
DATA rotations<>+8(SB)/8, $0x0d0c0f0e09080b0a
DATA rotations<>+16(SB)/8, $0x0605040702010003
DATA rotations<>+24(SB)/8, $0x0e0d0c0f0a09080b
GLOBL rotations<>(SB), RODATA|NOPTR, $32

#define ROTATE2(left, right, b, f) \
	VPSLLD $left, b, Y8; VPSLLD $left, f, Y9; \
	VPSRLD $right, b, b; VPSRLD $right, f, f; \
	VPOR Y8, b, b; VPOR Y9, f, f

#define QUARTER2(a, b, c, d, e, f, g, h) \
	VPADDD b, a, a; VPADDD f, e, e; \
	VPXOR a, d, d; VPXOR e, h, h; \
	VPSHUFB Y14, d, d; VPSHUFB Y14, h, h; \
	VPADDD d, c, c; VPADDD h, g, g; \
	VPXOR c, b, b; VPXOR g, f, f; \
	ROTATE2(12, 20, b, f); \
	VPADDD b, a, a; VPADDD f, e, e; \
	VPXOR a, d, d; VPXOR e, h, h; \
	VPSHUFB Y15, d, d; VPSHUFB Y15, h, h; \
	VPADDD d, c, c; VPADDD h, g, g; \
	VPXOR c, b, b; VPXOR g, f, f; \
	ROTATE2(7, 25, b, f)

#define SHUFFLE(i, j, k, b, c, d) \
	VPSHUFD $i, b, b; VPSHUFD $j, c, c; VPSHUFD $k, d, d

#define DOUBLE2 \
	QUARTER2(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7); \
	SHUFFLE(0x39, 0x4E, 0x93, Y1, Y2, Y3); SHUFFLE(0x39, 0x4E, 0x93, Y5, Y6, Y7); \
	QUARTER2(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7); \
	SHUFFLE(0x93, 0x4E, 0x39, Y1, Y2, Y3); SHUFFLE(0x93, 0x4E, 0x39, Y5, Y6, Y7)

// row at x ^= row at y, and into r
#define ENTER(x, y, r) VMOVDQA x(BX), r; VPXOR y(BX), r, r; VMOVDQA r, x(BX)

#define LEAVE(x, r) VPADDD x(BX), r, r; VMOVDQA r, x(BX)

// The block at offset x of both groups becomes chacha8(x xor y).
#define BLOCK2(x, y) \
	ENTER(x, y, Y0); ENTER(x+32, y+32, Y1); ENTER(x+64, y+64, Y2); ENTER(x+96, y+96, Y3); \
	ENTER(x+256, y+256, Y4); ENTER(x+288, y+288, Y5); ENTER(x+320, y+320, Y6); ENTER(x+352, y+352, Y7); \
	DOUBLE2; DOUBLE2; DOUBLE2; DOUBLE2; \
	LEAVE(x, Y0); LEAVE(x+32, Y1); LEAVE(x+64, Y2); LEAVE(x+96, Y3); \
	LEAVE(x+256, Y4); LEAVE(x+288, Y5); LEAVE(x+320, Y6); LEAVE(x+352, Y7)

// One row of two labels from their memory to the frame, and back.
#define LOADROW(row, off, p0, p1) \
	VMOVDQU off(p0), X0; VINSERTI128 $1, off(p1), Y0, Y0; VMOVDQA Y0, row(BX)

#define SAVEROW(row, off, p0, p1) \
	VMOVDQA row(BX), Y0; VMOVDQU X0, off(p0); VEXTRACTI128 $1, Y0, off(p1)

#define EIGHT(OP, group, p0, p1) \
	OP(group, 0, p0, p1); OP(group+32, 16, p0, p1); OP(group+64, 32, p0, p1); OP(group+96, 48, p0, p1); \
	OP(group+128, 64, p0, p1); OP(group+160, 80, p0, p1); OP(group+192, 96, p0, p1); OP(group+224, 112, p0, p1)

#define XORROW(row, off, p0, p1) \
	VMOVDQU off(p0)(AX*1), X0; VINSERTI128 $1, off(p1)(DX*1), Y0, Y0; \
	VPXOR row(BX), Y0, Y0; VMOVDQA Y0, row(BX)

// AX and DX = byte offsets of the entries that the two labels of a group ask for
#define OFFSETS(group) \
	MOVL group+128(BX), AX; ANDL R10, AX; SHLQ $7, AX; \
	MOVL group+144(BX), DX; ANDL R10, DX; SHLQ $7, DX

#define FRAME LEAQ frame-576(SP), BX; ADDQ $63, BX; ANDQ $~63, BX; \
	VBROADCASTI128 rotations<>+0(SB), Y14; VBROADCASTI128 rotations<>+16(SB), Y15

#define STATES \
	MOVQ x+0(FP), DI; LEAQ 128(DI), SI; LEAQ 256(DI), R8; LEAQ 384(DI), R9

#define LANES \
	MOVQ v+8(FP), DI; MOVQ stride+16(FP), AX; \
	LEAQ (DI)(AX*1), SI; LEAQ (DI)(AX*2), R8; LEAQ (SI)(AX*2), R9

// func fill4avx2(x *mixState, v *uint32, stride, count uint64)
TEXT ·fill4avx2(SB), 0, $576-32
	FRAME
	STATES
	EIGHT(LOADROW, 0, DI, SI)
	EIGHT(LOADROW, 256, R8, R9)
	LANES
	MOVQ count+24(FP), CX
fill:
	EIGHT(SAVEROW, 0, DI, SI)
	EIGHT(SAVEROW, 256, R8, R9)
	ADDQ $128, DI
	ADDQ $128, SI
	ADDQ $128, R8
	ADDQ $128, R9
	BLOCK2(0, 128)
	BLOCK2(128, 0)
	DECQ CX
	JNZ  fill
	STATES
	EIGHT(SAVEROW, 0, DI, SI)
	EIGHT(SAVEROW, 256, R8, R9)
	VZEROUPPER
	RET

// func mix4avx2(x *mixState, v *uint32, stride, count, mask uint64)
TEXT ·mix4avx2(SB), 0, $576-40
	FRAME
	STATES
	EIGHT(LOADROW, 0, DI, SI)
	EIGHT(LOADROW, 256, R8, R9)
	LANES
	MOVQ count+24(FP), CX
	MOVQ mask+32(FP), R10
mix:
	OFFSETS(0)
	EIGHT(XORROW, 0, DI, SI)
	OFFSETS(256)
	EIGHT(XORROW, 256, R8, R9)
	BLOCK2(0, 128)
	BLOCK2(128, 0)
	DECQ CX
	JNZ  mix
	STATES
	EIGHT(SAVEROW, 0, DI, SI)
	EIGHT(SAVEROW, 256, R8, R9)
	VZEROUPPER
	RET
