package org.slotwise.examples.pictures;

import java.util.Locale;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.ClevrLikeScenes;
import org.slotwise.data.generated.MultiDSprites;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.data.generated.TexturedScenes;

/** What can be written as pictures. */
enum GeneratedKind {
    TEXTURED,
    MULTI_DSPRITES,
    TETROMINOES,
    CLEVR,
    CLEVR6;

    /** The usual height and width of those that have several. */
    static final int USUAL = 64;

    private static final int TETROMINOES_SIDE = 35;
    private static final int FEWEST = 3;
    private static final int CLEVR6_MOST = 6;
    private static final int LEAST = 32;
    private static final int LARGEST = 512;

    /** Whether there are scenes of this height and width. */
    boolean has(int side) {
        return hasSizes() ? side >= LEAST && side <= LARGEST : side == fixed();
    }

    /** Which heights and widths there are. */
    String sizes() {
        return hasSizes() ? LEAST + " to " + LARGEST + " pixels" : fixed() + " x " + fixed();
    }

    private int fixed() {
        return this == TETROMINOES ? TETROMINOES_SIDE : USUAL;
    }

    boolean hasSizes() {
        return this == TEXTURED || this == CLEVR || this == CLEVR6;
    }

    Scenes scenes(int count, long seed, int side) {
        return switch (this) {
            case TEXTURED ->
                    TexturedScenes.builder().setSize(count).optSeed(seed).optSide(side).build();
            case MULTI_DSPRITES -> MultiDSprites.builder().setSize(count).optSeed(seed).build();
            case TETROMINOES -> Tetrominoes.builder().setSize(count).optSeed(seed).build();
            case CLEVR -> clevr(count, seed, side).build();
            case CLEVR6 -> clevr(count, seed, side).optObjects(FEWEST, CLEVR6_MOST).build();
        };
    }

    private static ClevrLikeScenes.Builder clevr(int count, long seed, int side) {
        return ClevrLikeScenes.builder().setSize(count).optSeed(seed).optSide(side);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
