package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.inference.Predictor;
import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.ImageFolder;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.model.Augmentation;
import org.slotwise.model.LearningRateSchedule;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.Presets;
import org.slotwise.model.TrainingRecipe;
import org.slotwise.testing.ChildJvm;

/** Who trains on tiny pictures, or asks about them, is told so once. */
class SmallPictureWarningTest {

    @TempDir private Path folder;

    /** A logger that keeps its warnings. */
    private static Logger keeping(List<String> told) {
        return (Logger)
                Proxy.newProxyInstance(
                        SmallPictureWarningTest.class.getClassLoader(),
                        new Class<?>[] {Logger.class},
                        (self, method, args) -> {
                            assertEquals("warn", method.getName());
                            told.add(args[1] + ": " + args[2]);
                            return null;
                        });
    }

    @Test
    void theFirstIsTold() {
        List<String> told = new ArrayList<>();
        SmallPictureWarning fine = new SmallPictureWarning(keeping(told), "Reader");
        for (int[] one : new int[][] {{16, 16}, {200, 17}, {16, 1000}, {64, 64}}) {
            fine.see(one[0], one[1], 64, 64, UnaryOperator.identity());
        }
        assertEquals(List.of(), told);
        for (int[] one : new int[][] {{15, 64}, {64, 15}, {1, 1}, {2, 3}}) {
            told.clear();
            SmallPictureWarning small = new SmallPictureWarning(keeping(told), "Reader");
            for (int i = 0; i < 3; i++) {
                String name = "a" + i + ": ";
                small.see(one[0], one[1], 64, 64, what -> name + what);
            }
            String size = one[0] + " x " + one[1];
            assertEquals(
                    List.of(
                            "Reader: a0: a picture of "
                                    + size
                                    + " pixels (height x width) is enlarged to 64 x 64, and shows"
                                    + " little; of others this is not told again"),
                    told);
        }
    }

    /** Whoever enlarges pictures, in a JVM whose log can be read. */
    static final class Enlarging {

        private Enlarging() {}

        public static void main(String[] args) throws Exception {
            Path folder = Path.of(args[0]);
            for (PictureFit fit : PictureFit.values()) {
                ImageFolder images =
                        ImageFolder.builder().setFolder(folder).setSize(64, 64).optFit(fit).build();
                for (int i = 0; i < 6; i++) {
                    images.get(i % 3);
                }
            }
            try (ObjectDiscoveryModel model = ObjectDiscoveryModel.shipped("tetrominoes");
                    Predictor<Image, DiscoveredObjects> predictor = model.newPredictor()) {
                predictor.predict(image(40, 40));
                predictor.predict(image(2, 3));
                predictor.batchPredict(List.of(image(3, 2), image(2, 3)));
            }
            TrainingRecipe recipe =
                    new TrainingRecipe(
                            2,
                            2,
                            LearningRateSchedule.cosine(3e-3, 8),
                            1,
                            new Augmentation(false, 1),
                            0,
                            2);
            List<Scene> scenes =
                    IntStream.range(0, 4).mapToObj(i -> new Scene(2, 3, new byte[18])).toList();
            try (ObjectDiscoveryModel model =
                    ObjectDiscoveryModel.create(Presets.named("tetrominoes").configuration(), 0)) {
                model.fit(Scenes.of(scenes), recipe);
            }
        }

        private static Image image(int height, int width) {
            return new BufferedImageFactory()
                    .fromImage(new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB));
        }
    }

    private void png(String name, int height, int width) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        assertTrue(ImageIO.write(image, "png", folder.resolve(name).toFile()));
    }

    @Test
    void readersPredictionsAndTrainingsTell() throws IOException {
        png("0.png", 40, 40);
        png("1.png", 2, 3);
        png("2.png", 3, 2);
        Process process =
                ChildJvm.start(
                        Enlarging.class,
                        List.of(
                                "-Dai.djl.offline=true",
                                "-Dorg.slf4j.simpleLogger.logFile=System.out",
                                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
                        folder);
        String said = ChildJvm.said(process);
        List<String> told = said.lines().filter(line -> line.contains("is enlarged to")).toList();
        List<String> expected =
                List.of(
                        "ImageFolder: FOLDER/1.png: a picture of 2 x 3 pixels",
                        "ImageFolder: FOLDER/1.png: a picture of 2 x 3 pixels",
                        "ObjectDiscoveryTranslator: a picture of 2 x 3 pixels",
                        "ObjectDiscoveryTraining: scene ");
        assertEquals(expected.size(), told.size(), said);
        for (int i = 0; i < expected.size(); i++) {
            String line = told.get(i).replace(folder.toString(), "FOLDER").replace('\\', '/');
            assertTrue(line.contains(expected.get(i)), said);
        }
    }
}
