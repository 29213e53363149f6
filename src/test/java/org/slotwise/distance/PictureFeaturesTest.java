package org.slotwise.distance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.PictureFolder;
import org.slotwise.data.generated.MultiDSprites;
import org.slotwise.encoder.ConvolutionalEncoder;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class PictureFeaturesTest {

    private static final Path FOLDER = Path.of("src", "test", "resources", "distance");

    @TempDir private Path folder;

    /** The whole way, beside Pillow and PyTorch. */
    @ParameterizedTest
    @ValueSource(strings = {"inception_vectors.pt", "inception_maps.pt"})
    void inceptionSeesWhatCleanFidShowsIt(String file, NDManager manager) throws Exception {
        try (PictureFeatures features = PictureFeatures.inception(FOLDER.resolve(file));
                StateDict reference = StateDict.read(FOLDER.resolve("inception.npz"))) {
            List<Scene> pictures =
                    List.of(scene(reference.get("wide")), scene(reference.get("high")));
            NDArray found = features.extract(manager, pictures);
            NDArray expected = reference.get("features").toDevice(manager.getDevice(), true);
            assertClose("features", expected, found, 1e-6);
            assertTrue(features.isInception());
            assertEquals("Inception-v3", features.description());
        }
    }

    private static Scene scene(NDArray image) {
        Shape shape = image.getShape();
        return new Scene((int) shape.get(0), (int) shape.get(1), image.toByteArray());
    }

    @Test
    void anotherNetworkIsNoInception() throws IOException {
        MalformedModelException narrow =
                assertThrows(
                        MalformedModelException.class,
                        () -> PictureFeatures.inception(FOLDER.resolve("inception_narrow.pt")));
        assertEquals(
                "PictureFeatures: Inception-v3 gives 2048 features for a picture, got 16 for each"
                        + " of 1 places",
                narrow.getMessage());
        Path cut = folder.resolve("cut.pt");
        byte[] whole = Files.readAllBytes(FOLDER.resolve("inception_vectors.pt"));
        Files.write(cut, Arrays.copyOf(whole, whole.length / 2));
        assertThrows(MalformedModelException.class, () -> PictureFeatures.inception(cut));
        assertThrows(
                IllegalArgumentException.class,
                () -> PictureFeatures.inception(folder.resolve("no-such.pt")));
    }

    /** A picture alone gets what it gets among others, whatever their sizes. */
    @Test
    void picturesDoNotKnowEachOther(NDManager manager) {
        ConvolutionalEncoder encoder = encoder(manager);
        PictureFeatures features =
                PictureFeatures.of(
                        16, 16, "an encoder", encoder, new ParameterStore(manager, false));
        assertFalse(features.isInception());
        Scene small = noise(5, 9, 1);
        Scene large = noise(70, 40, 2);
        int before = manager.getManagedArrays().size();
        NDArray both = features.extract(manager, List.of(small, large));
        assertEquals(new Shape(2, 8), both.getShape());
        assertEquals(before + 1, manager.getManagedArrays().size());
        assertClose("small", both.get("0:1"), features.extract(manager, List.of(small)), 1e-5);
        assertClose("large", both.get("1:2"), features.extract(manager, List.of(large)), 1e-5);
        features.close();
        assertTrue(encoder.isInitialized());
    }

    private static ConvolutionalEncoder encoder(NDManager manager) {
        ConvolutionalEncoder encoder = ConvolutionalEncoder.builder().optChannels(8).build();
        manager.getEngine().setRandomSeed(1);
        encoder.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 16, 16));
        return encoder;
    }

    private static Scene noise(int height, int width, long seed) {
        byte[] image = new byte[3 * height * width];
        new Random(seed).nextBytes(image);
        return new Scene(height, width, image);
    }

    @Test
    void valuesComeBetween0And1(NDManager manager) {
        try (PictureFeatures features =
                PictureFeatures.of(
                        2, 2, "nothing", images -> images.reshape(images.getShape().get(0), -1))) {
            byte[] image = {0, (byte) 255, 51, 0, (byte) 255, 51, 0, (byte) 255, 51, 0, -1, 51};
            NDArray found = features.extract(manager, List.of(new Scene(2, 2, image)));
            float[] expected = {0, 0, 0, 0, 1, 1, 1, 1, 0.2f, 0.2f, 0.2f, 0.2f};
            assertArrayEquals(expected, found.toFloatArray());
            assertRefused(
                    "PictureFeatures: pictures must be at least 1, got none",
                    () -> features.extract(manager, List.of()));
        }
        PictureFeatures wrong = PictureFeatures.of(2, 2, "all", images -> images);
        assertRefused(
                "PictureFeatures: the network's features must be (1, d), got (1, 3, 2, 2)",
                () -> wrong.extract(manager, List.of(noise(3, 3, 1))));
        assertRefused(
                "PictureFeatures: height must be at least 1, got 0",
                () -> PictureFeatures.of(0, 2, "all", images -> images));
    }

    /** Streamed in batches of any size it is what it is at once; progress reaches the end. */
    @Test
    void aFolderIsCollectedBatchByBatch(NDManager manager) throws IOException {
        for (int i = 0; i < 7; i++) {
            Scene scene = noise(6 + i, 11 - i, i);
            BufferedImage image =
                    new BufferedImage(scene.width(), scene.height(), BufferedImage.TYPE_INT_RGB);
            for (int p = 0; p < scene.height() * scene.width(); p++) {
                byte[] rgb = scene.image();
                int colour =
                        (rgb[3 * p] & 0xff) << 16
                                | (rgb[3 * p + 1] & 0xff) << 8
                                | (rgb[3 * p + 2] & 0xff);
                image.setRGB(p % scene.width(), p / scene.width(), colour);
            }
            Path inside = Files.createDirectories(folder.resolve(i % 2 == 0 ? "a" : "b"));
            ImageIO.write(image, "png", inside.resolve(i + ".png").toFile());
        }
        PictureFolder pictures = PictureFolder.of(folder);
        assertEquals(7, pictures.size());
        assertEquals(new Scene(6, 11, noise(6, 11, 0).image()), pictures.get(0));
        assertEquals(folder.resolve("b").resolve("1.png"), pictures.file(4));

        PictureFeatures features =
                PictureFeatures.of(
                        16, 16, "an encoder", encoder(manager), new ParameterStore(manager, false));
        List<Long> told = new ArrayList<>();
        try (FeatureCollection streamed = new FeatureCollection(100, 0);
                FeatureCollection sampled = new FeatureCollection(3, 0)) {
            int before = manager.getManagedArrays().size();
            streamed.addAll(pictures, features, 3, manager, told::add);
            assertEquals(before, manager.getManagedArrays().size());
            assertEquals(List.of(3L, 6L, 7L), told);
            assertEquals(7, streamed.count());
            sampled.addAll(pictures, features, 2, manager, done -> {});
            assertEquals(new Shape(3, 8), sampled.sample(manager).getShape());
            assertEquals(7, sampled.count());
            NDArray all = streamed.sample(manager);
            FrechetDistance same =
                    FrechetDistance.of(FeatureStatistics.of(all), sampled.statistics());
            assertEquals(0, same.value(), 1e-6);
            assertEquals(7, same.second());
        }
        Files.write(folder.resolve("a").resolve("2.png"), new byte[] {1, 2, 3});
        SceneFileException damaged =
                assertThrows(
                        SceneFileException.class,
                        () -> {
                            try (FeatureCollection into = new FeatureCollection(10, 0)) {
                                into.addAll(pictures, features, 3, manager, done -> {});
                            }
                        });
        assertTrue(damaged.getMessage().contains("2.png"), damaged.getMessage());
        assertThrows(
                SceneFileException.class,
                () -> PictureFolder.of(Files.createDirectory(folder.resolve("empty"))));
    }

    /**
     * Real against real, real against shuffled pixels: in the features of a network that never
     * learnt anything the order is the same as in all others, whatever the numbers.
     */
    @Test
    void realIsNearerToRealThanNoiseIs(NDManager manager) throws IOException {
        PictureFeatures features =
                PictureFeatures.of(
                        16, 16, "an encoder", encoder(manager), new ParameterStore(manager, false));
        Scenes real = MultiDSprites.builder().setSize(120).optSeed(1).build();
        try (FeatureCollection one = collect(real.range(0, 60), features, manager);
                FeatureCollection other = collect(real.range(60, 120), features, manager);
                FeatureCollection shuffled =
                        collect(
                                real.range(60, 120).map(PictureFeaturesTest::shuffled),
                                features,
                                manager)) {
            double near = FrechetDistance.of(one.statistics(), other.statistics()).value();
            double far = FrechetDistance.of(one.statistics(), shuffled.statistics()).value();
            assertTrue(near < far, () -> near + " and " + far);
            double kernelNear = kernel(one, other, manager);
            double kernelFar = kernel(one, shuffled, manager);
            assertTrue(kernelNear < kernelFar, () -> kernelNear + " and " + kernelFar);
        }
    }

    private static double kernel(FeatureCollection a, FeatureCollection b, NDManager manager) {
        return KernelDistance.of(a.sample(manager), b.sample(manager), KernelSubsets.STANDARD)
                .value();
    }

    private static FeatureCollection collect(
            Scenes scenes, PictureFeatures features, NDManager manager) throws IOException {
        return new FeatureCollection(1000, 0).addAll(scenes, features, 16, manager, done -> {});
    }

    /** The same pixels in another order. */
    private static Scene shuffled(Scene scene) {
        byte[] image = scene.image().clone();
        Random random = new Random(7);
        for (int i = image.length / 3 - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            for (int c = 0; c < 3; c++) {
                byte value = image[3 * i + c];
                image[3 * i + c] = image[3 * j + c];
                image[3 * j + c] = value;
            }
        }
        return new Scene(scene.height(), scene.width(), image);
    }

    @Test
    void distancesOfOneAndTheSameAreNothing(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, 9, 3);
        assertEquals(0, FrechetDistance.of(x, x).value(), 1e-13);
    }
}
