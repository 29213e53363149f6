package org.slotwise.benchmark;

import org.slotwise.data.Crop;
import org.slotwise.data.Scene;
import org.slotwise.data.file.SceneFormat;
import org.slotwise.data.generated.ClevrLikeScenes;
import org.slotwise.data.generated.MultiDSprites;

/** Generated scenes that are written to files, and the size in which they are read. */
enum DataSize {
    /** Of 64 x 64, read as they are. */
    SPRITES("sprites", 64, 2000),
    /** Of 240 x 320 as CLEVR has them, of which the square in the middle is resized. */
    CLEVR("clevr", 128, 300);

    private final String shown;
    private final int side;
    private final int count;

    DataSize(String shown, int side, int count) {
        this.shown = shown;
        this.side = side;
        this.count = count;
    }

    /** How a scene lies in a record. */
    SceneFormat format() {
        return this == SPRITES
                ? SceneFormat.MULTI_DSPRITES_COLORED_ON_GRAYSCALE
                : SceneFormat.CLEVR_WITH_MASKS;
    }

    /** Height and width in batches. */
    int side() {
        return side;
    }

    int count() {
        return count;
    }

    /** A scene as it is written. */
    Scene scene(int index) {
        if (this == SPRITES) {
            return sprites(count).get(index);
        }
        int rows = format().height();
        int width = format().width();
        return ClevrLikeScenes.builder()
                .setSize(count)
                .optSide(width)
                .build()
                .get(index)
                .crop(new Crop((width - rows) / 2, 0, rows, width));
    }

    private static MultiDSprites sprites(int count) {
        return MultiDSprites.builder().setSize(count).build();
    }

    /** A scene of the file as it comes into a batch. */
    Scene fitted(Scene whole) {
        if (this == SPRITES) {
            return whole;
        }
        int rows = format().height();
        return whole.crop(new Crop(0, (format().width() - rows) / 2, rows, rows))
                .resize(side, side);
    }

    @Override
    public String toString() {
        return shown;
    }
}
