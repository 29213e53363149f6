package org.slotwise.examples.spark;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.MultiDSprites;

/** Generated pictures as PNG. */
final class Pictures {

    private Pictures() {}

    /** Of different sizes, by name: 000.png and so on. */
    static Map<String, byte[]> png(int count) throws IOException {
        Scenes scenes = MultiDSprites.builder().optSeed(7).setSize(count).build();
        Map<String, byte[]> pictures = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            Scene scene = scenes.get(i).resize(64 - i % 3, 64 + i % 5);
            pictures.put(String.format("%03d.png", i), png(scene));
        }
        return pictures;
    }

    private static byte[] png(Scene scene) throws IOException {
        BufferedImage image =
                new BufferedImage(scene.width(), scene.height(), BufferedImage.TYPE_INT_RGB);
        byte[] rgb = scene.image();
        for (int i = 0; i < rgb.length; i += 3) {
            int colour = (rgb[i] & 0xff) << 16 | (rgb[i + 1] & 0xff) << 8 | rgb[i + 2] & 0xff;
            image.setRGB(i / 3 % scene.width(), i / 3 / scene.width(), colour);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }

    /** As rows of {@link EncodedPictures}. */
    static List<Row> rows(Map<String, byte[]> pictures) {
        List<Row> rows = new ArrayList<>();
        pictures.forEach((path, bytes) -> rows.add(RowFactory.create(path, bytes, null)));
        return rows;
    }
}
