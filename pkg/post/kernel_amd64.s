#include "textflag.h"

// A register holds one row of a ChaCha block: four words of one label in an X
// register, of four labels side by side in a Z register. Rows of the first block
// of a label's state are in registers 0-3, of the second in 4-7; a second group of
// four labels is in 8-15. Registers 16-31 are scratch.

#define QUARTER(a, b, c, d) \
	VPADDD b, a, a; VPXORD a, d, d; VPROLD $16, d, d; \
	VPADDD d, c, c; VPXORD c, b, b; VPROLD $12, b, b; \
	VPADDD b, a, a; VPXORD a, d, d; VPROLD $8, d, d; \
	VPADDD d, c, c; VPXORD c, b, b; VPROLD $7, b, b

// Two groups step by step: one fills the waits of the other.
#define QUARTER2(a, b, c, d, e, f, g, h) \
	VPADDD b, a, a; VPADDD f, e, e; \
	VPXORD a, d, d; VPXORD e, h, h; \
	VPROLD $16, d, d; VPROLD $16, h, h; \
	VPADDD d, c, c; VPADDD h, g, g; \
	VPXORD c, b, b; VPXORD g, f, f; \
	VPROLD $12, b, b; VPROLD $12, f, f; \
	VPADDD b, a, a; VPADDD f, e, e; \
	VPXORD a, d, d; VPXORD e, h, h; \
	VPROLD $8, d, d; VPROLD $8, h, h; \
	VPADDD d, c, c; VPADDD h, g, g; \
	VPXORD c, b, b; VPXORD g, f, f; \
	VPROLD $7, b, b; VPROLD $7, f, f

#define DIAGONAL(b, c, d) \
	VPSHUFD $0x39, b, b; VPSHUFD $0x4E, c, c; VPSHUFD $0x93, d, d

#define STRAIGHT(b, c, d) \
	VPSHUFD $0x93, b, b; VPSHUFD $0x4E, c, c; VPSHUFD $0x39, d, d

#define DOUBLE(a, b, c, d) \
	QUARTER(a, b, c, d); DIAGONAL(b, c, d); QUARTER(a, b, c, d); STRAIGHT(b, c, d)

#define DOUBLE2(a, b, c, d, e, f, g, h) \
	QUARTER2(a, b, c, d, e, f, g, h); \
	DIAGONAL(b, c, d); DIAGONAL(f, g, h); \
	QUARTER2(a, b, c, d, e, f, g, h); \
	STRAIGHT(b, c, d); STRAIGHT(f, g, h)

// x = chacha8(x xor y)
#define BLOCK(x0, x1, x2, x3, y0, y1, y2, y3, t0, t1, t2, t3, MOV) \
	VPXORD y0, x0, x0; VPXORD y1, x1, x1; VPXORD y2, x2, x2; VPXORD y3, x3, x3; \
	MOV x0, t0; MOV x1, t1; MOV x2, t2; MOV x3, t3; \
	DOUBLE(t0, t1, t2, t3); DOUBLE(t0, t1, t2, t3); \
	DOUBLE(t0, t1, t2, t3); DOUBLE(t0, t1, t2, t3); \
	VPADDD t0, x0, x0; VPADDD t1, x1, x1; VPADDD t2, x2, x2; VPADDD t3, x3, x3

#define ENTER2(x0, x1, x2, x3, y0, y1, y2, y3, t0, t1, t2, t3) \
	VPXORD y0, x0, x0; VPXORD y1, x1, x1; VPXORD y2, x2, x2; VPXORD y3, x3, x3; \
	VMOVDQA64 x0, t0; VMOVDQA64 x1, t1; VMOVDQA64 x2, t2; VMOVDQA64 x3, t3

#define LEAVE2(x0, x1, x2, x3, t0, t1, t2, t3) \
	VPADDD t0, x0, x0; VPADDD t1, x1, x1; VPADDD t2, x2, x2; VPADDD t3, x3, x3

#define ROUNDS2 \
	DOUBLE2(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23); \
	DOUBLE2(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23); \
	DOUBLE2(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23); \
	DOUBLE2(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23)

#define BLOCKMIX2 \
	ENTER2(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z16, Z17, Z18, Z19); \
	ENTER2(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15, Z20, Z21, Z22, Z23); \
	ROUNDS2; \
	LEAVE2(Z0, Z1, Z2, Z3, Z16, Z17, Z18, Z19); \
	LEAVE2(Z8, Z9, Z10, Z11, Z20, Z21, Z22, Z23); \
	ENTER2(Z4, Z5, Z6, Z7, Z0, Z1, Z2, Z3, Z16, Z17, Z18, Z19); \
	ENTER2(Z12, Z13, Z14, Z15, Z8, Z9, Z10, Z11, Z20, Z21, Z22, Z23); \
	ROUNDS2; \
	LEAVE2(Z4, Z5, Z6, Z7, Z16, Z17, Z18, Z19); \
	LEAVE2(Z12, Z13, Z14, Z15, Z20, Z21, Z22, Z23)

#define BLOCKMIX4 \
	BLOCK(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z16, Z17, Z18, Z19, VMOVDQA64); \
	BLOCK(Z4, Z5, Z6, Z7, Z0, Z1, Z2, Z3, Z16, Z17, Z18, Z19, VMOVDQA64)

#define BLOCKMIX1 \
	BLOCK(X0, X1, X2, X3, X4, X5, X6, X7, X16, X17, X18, X19, VMOVDQA64); \
	BLOCK(X4, X5, X6, X7, X0, X1, X2, X3, X16, X17, X18, X19, VMOVDQA64)

// Four registers that hold a block of one label each become the four rows of the
// four labels, and back.
#define TRANSPOSE(a, b, c, d, t0, t1, t2, t3) \
	VSHUFI64X2 $0x44, b, a, t0; VSHUFI64X2 $0xEE, b, a, t1; \
	VSHUFI64X2 $0x44, d, c, t2; VSHUFI64X2 $0xEE, d, c, t3; \
	VSHUFI64X2 $0x88, t2, t0, a; VSHUFI64X2 $0xDD, t2, t0, b; \
	VSHUFI64X2 $0x88, t3, t1, c; VSHUFI64X2 $0xDD, t3, t1, d

// Rows a-d are written to four labels' memory and stay as they are.
#define SCATTER(a, b, c, d, off, p0, p1, p2, p3) \
	VSHUFI64X2 $0x44, b, a, Z24; VSHUFI64X2 $0xEE, b, a, Z25; \
	VSHUFI64X2 $0x44, d, c, Z26; VSHUFI64X2 $0xEE, d, c, Z27; \
	VSHUFI64X2 $0x88, Z26, Z24, Z28; VSHUFI64X2 $0xDD, Z26, Z24, Z29; \
	VSHUFI64X2 $0x88, Z27, Z25, Z30; VSHUFI64X2 $0xDD, Z27, Z25, Z31; \
	VMOVDQU64 Z28, off(p0); VMOVDQU64 Z29, off(p1); \
	VMOVDQU64 Z30, off(p2); VMOVDQU64 Z31, off(p3)

#define GATHER(a, b, c, d, off, p0, p1, p2, p3) \
	VMOVDQU64 off(p0), a; VMOVDQU64 off(p1), b; \
	VMOVDQU64 off(p2), c; VMOVDQU64 off(p3), d; \
	TRANSPOSE(a, b, c, d, Z24, Z25, Z26, Z27)

// AX = byte offset of V[first word of index mod N] in the memory of a label
#define OFFSET(index) VMOVD index, AX; ANDL DX, AX; SHLQ $7, AX

// Xors the V entries of four labels into the group x0-x7; lane i of x4 begins with
// the first word of label i's last block.
#define MIXIN(x0, x1, x2, x3, x4, x5, x6, x7, low4, p0, p1, p2, p3) \
	OFFSET(low4); VMOVDQU64 (p0)(AX*1), Z24; VMOVDQU64 64(p0)(AX*1), Z28; \
	VEXTRACTI32X4 $1, x4, X16; OFFSET(X16); VMOVDQU64 (p1)(AX*1), Z25; VMOVDQU64 64(p1)(AX*1), Z29; \
	VEXTRACTI32X4 $2, x4, X16; OFFSET(X16); VMOVDQU64 (p2)(AX*1), Z26; VMOVDQU64 64(p2)(AX*1), Z30; \
	VEXTRACTI32X4 $3, x4, X16; OFFSET(X16); VMOVDQU64 (p3)(AX*1), Z27; VMOVDQU64 64(p3)(AX*1), Z31; \
	TRANSPOSE(Z24, Z25, Z26, Z27, Z16, Z17, Z18, Z19); \
	TRANSPOSE(Z28, Z29, Z30, Z31, Z16, Z17, Z18, Z19); \
	VPXORD Z24, x0, x0; VPXORD Z25, x1, x1; VPXORD Z26, x2, x2; VPXORD Z27, x3, x3; \
	VPXORD Z28, x4, x4; VPXORD Z29, x5, x5; VPXORD Z30, x6, x6; VPXORD Z31, x7, x7

// The labels' memory: DI, SI, R8, R9 and R10-R13.
#define LANES4 \
	MOVQ v+8(FP), DI; MOVQ stride+16(FP), AX; \
	LEAQ (DI)(AX*1), SI; LEAQ (DI)(AX*2), R8; LEAQ (SI)(AX*2), R9

#define LANES8 \
	LANES4; \
	LEAQ (DI)(AX*4), R10; LEAQ (SI)(AX*4), R11; LEAQ (R8)(AX*4), R12; LEAQ (R9)(AX*4), R13

#define STEP8 ADDQ $128, DI; ADDQ $128, SI; ADDQ $128, R8; ADDQ $128, R9; \
	ADDQ $128, R10; ADDQ $128, R11; ADDQ $128, R12; ADDQ $128, R13

// The states lie one after another, 128 bytes each; BX, CX, AX, DX address four.
#define STATES(off) \
	MOVQ x+0(FP), BX; ADDQ $off, BX; LEAQ 128(BX), CX; LEAQ 256(BX), AX; LEAQ 384(BX), DX

#define LOADA STATES(0); \
	GATHER(Z0, Z1, Z2, Z3, 0, BX, CX, AX, DX); GATHER(Z4, Z5, Z6, Z7, 64, BX, CX, AX, DX)
#define LOADB STATES(512); \
	GATHER(Z8, Z9, Z10, Z11, 0, BX, CX, AX, DX); GATHER(Z12, Z13, Z14, Z15, 64, BX, CX, AX, DX)
#define SAVEA STATES(0); \
	SCATTER(Z0, Z1, Z2, Z3, 0, BX, CX, AX, DX); SCATTER(Z4, Z5, Z6, Z7, 64, BX, CX, AX, DX)
#define SAVEB STATES(512); \
	SCATTER(Z8, Z9, Z10, Z11, 0, BX, CX, AX, DX); SCATTER(Z12, Z13, Z14, Z15, 64, BX, CX, AX, DX)

// func fill8(x *mixState, v *uint32, stride, count uint64)
TEXT ·fill8(SB), NOSPLIT, $0-32
	LOADA
	LOADB
	LANES8
	MOVQ count+24(FP), CX
fill8loop:
	SCATTER(Z0, Z1, Z2, Z3, 0, DI, SI, R8, R9)
	SCATTER(Z4, Z5, Z6, Z7, 64, DI, SI, R8, R9)
	SCATTER(Z8, Z9, Z10, Z11, 0, R10, R11, R12, R13)
	SCATTER(Z12, Z13, Z14, Z15, 64, R10, R11, R12, R13)
	STEP8
	BLOCKMIX2
	DECQ CX
	JNZ  fill8loop
	SAVEA
	SAVEB
	VZEROUPPER
	RET

// func mix8(x *mixState, v *uint32, stride, count, mask uint64)
TEXT ·mix8(SB), NOSPLIT, $0-40
	LOADA
	LOADB
	LANES8
	MOVQ count+24(FP), CX
	MOVQ mask+32(FP), DX
mix8loop:
	MIXIN(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, X4, DI, SI, R8, R9)
	MIXIN(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15, X12, R10, R11, R12, R13)
	BLOCKMIX2
	DECQ CX
	JNZ  mix8loop
	SAVEA
	SAVEB
	VZEROUPPER
	RET

// func fill4(x *mixState, v *uint32, stride, count uint64)
TEXT ·fill4(SB), NOSPLIT, $0-32
	LOADA
	LANES4
	MOVQ count+24(FP), CX
fill4loop:
	SCATTER(Z0, Z1, Z2, Z3, 0, DI, SI, R8, R9)
	SCATTER(Z4, Z5, Z6, Z7, 64, DI, SI, R8, R9)
	ADDQ $128, DI
	ADDQ $128, SI
	ADDQ $128, R8
	ADDQ $128, R9
	BLOCKMIX4
	DECQ CX
	JNZ  fill4loop
	SAVEA
	VZEROUPPER
	RET

// func mix4(x *mixState, v *uint32, stride, count, mask uint64)
TEXT ·mix4(SB), NOSPLIT, $0-40
	LOADA
	LANES4
	MOVQ count+24(FP), CX
	MOVQ mask+32(FP), DX
mix4loop:
	MIXIN(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, X4, DI, SI, R8, R9)
	BLOCKMIX4
	DECQ CX
	JNZ  mix4loop
	SAVEA
	VZEROUPPER
	RET

#define LOAD1 \
	MOVQ x+0(FP), BX; \
	VMOVDQU64 (BX), X0; VMOVDQU64 16(BX), X1; VMOVDQU64 32(BX), X2; VMOVDQU64 48(BX), X3; \
	VMOVDQU64 64(BX), X4; VMOVDQU64 80(BX), X5; VMOVDQU64 96(BX), X6; VMOVDQU64 112(BX), X7

#define SAVE1(p) \
	VMOVDQU64 X0, (p); VMOVDQU64 X1, 16(p); VMOVDQU64 X2, 32(p); VMOVDQU64 X3, 48(p); \
	VMOVDQU64 X4, 64(p); VMOVDQU64 X5, 80(p); VMOVDQU64 X6, 96(p); VMOVDQU64 X7, 112(p)

// func fill1(x *mixState, v *uint32, count uint64)
TEXT ·fill1(SB), NOSPLIT, $0-24
	LOAD1
	MOVQ v+8(FP), DI
	MOVQ count+16(FP), CX
fill1loop:
	SAVE1(DI)
	ADDQ $128, DI
	BLOCKMIX1
	DECQ CX
	JNZ  fill1loop
	SAVE1(BX)
	RET

// func mix1(x *mixState, v *uint32, count, mask uint64)
TEXT ·mix1(SB), NOSPLIT, $0-32
	LOAD1
	MOVQ v+8(FP), DI
	MOVQ count+16(FP), CX
	MOVQ mask+24(FP), DX
mix1loop:
	OFFSET(X4)
	VPXORD (DI)(AX*1), X0, X0
	VPXORD 16(DI)(AX*1), X1, X1
	VPXORD 32(DI)(AX*1), X2, X2
	VPXORD 48(DI)(AX*1), X3, X3
	VPXORD 64(DI)(AX*1), X4, X4
	VPXORD 80(DI)(AX*1), X5, X5
	VPXORD 96(DI)(AX*1), X6, X6
	VPXORD 112(DI)(AX*1), X7, X7
	BLOCKMIX1
	DECQ CX
	JNZ  mix1loop
	SAVE1(BX)
	RET
