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
    CLEVR;

    /** The usual height and width of those that have several. */
    static final int USUAL = 64;

    boolean hasSizes() {
        return this == TEXTURED || this == CLEVR;
    }

    Scenes scenes(int count, long seed, int side) {
        return switch (this) {
            case TEXTURED ->
                    TexturedScenes.builder().setSize(count).optSeed(seed).optSide(side).build();
            case MULTI_DSPRITES -> MultiDSprites.builder().setSize(count).optSeed(seed).build();
            case TETROMINOES -> Tetrominoes.builder().setSize(count).optSeed(seed).build();
            case CLEVR ->
                    ClevrLikeScenes.builder().setSize(count).optSeed(seed).optSide(side).build();
        };
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
