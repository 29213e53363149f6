package org.slotwise.model;

import java.io.IOException;
import java.util.zip.CRC32;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;

/** Some scenes by which a set of them is known again, without reading all. */
final class SceneSample {

    private static final int MOST = 16;

    private SceneSample() {}

    /**
     * A number of the sizes and images of the first scene, the last one, and some between.
     *
     * @param scenes at least one
     * @throws IOException if one cannot be read
     */
    static String checksum(Scenes scenes) throws IOException {
        CRC32 sum = new CRC32();
        long count = Math.min(MOST, scenes.size());
        for (long i = 0; i < count; i++) {
            Scene scene = scenes.get(count == 1 ? 0 : i * (scenes.size() - 1) / (count - 1));
            sum.update(scene.height());
            sum.update(scene.width());
            sum.update(scene.image());
        }
        return Long.toHexString(sum.getValue());
    }
}
