package org.slotwise.distance;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.slotwise.data.Scene;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.encoder.PretrainedBackbone;
import org.slotwise.internal.Check;
import org.slotwise.internal.CubicResampling;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.internal.Workers;

/**
 * A vector of features for a whole picture of any size: the picture is brought to the size that a
 * network takes as clean-fid does it, by cubic convolution with antialiasing and without rounding
 * to bytes, and the network looks at it.
 *
 * <p>Source: Parmar et al., "On aliased resizing and surprising subtleties in GAN evaluation"
 * (2022); the resizing equals Pillow's to the last bit.
 *
 * <p>May be used by several threads at once if the network may. Close it, which closes the network.
 */
public final class PictureFeatures implements AutoCloseable {

    private static final String WHO = "PictureFeatures";

    /** What Inception-v3 takes and gives, in the port that clean-fid uses. */
    private static final int INCEPTION_SIDE = 299;

    private static final int INCEPTION_FEATURES = 2048;
    private static final double INCEPTION_CENTRE = 128;
    private static final float WHITE = 255;

    private final int height;
    private final int width;
    private final String description;
    private final float scale;
    private final UnaryOperator<NDArray> network;
    private final Runnable closing;

    private PictureFeatures(
            int height,
            int width,
            String description,
            float scale,
            UnaryOperator<NDArray> network,
            Runnable closing) {
        this.height = height;
        this.width = width;
        this.description = description;
        this.scale = scale;
        this.network = network;
        this.closing = closing;
    }

    /**
     * Features of any network.
     *
     * @param height the height that pictures are brought to, at least 1
     * @param width the width
     * @param description what network it is, for those who compare numbers
     * @param network images (B, 3, H, W) in [0, 1], float32, to features (B, d)
     * @return the features
     * @throws IllegalArgumentException if a size is below 1
     */
    public static PictureFeatures of(
            int height, int width, String description, UnaryOperator<NDArray> network) {
        Check.atLeast(WHO, "height", height, 1);
        Check.atLeast(WHO, "width", width, 1);
        return new PictureFeatures(height, width, description, WHITE, network, () -> {});
    }

    /**
     * Features of an encoder or backbone: the mean over all places of a picture.
     *
     * @param height the height that it takes, at least 1
     * @param width the width
     * @param description what network it is
     * @param extractor images (B, 3, H, W) in [0, 1], float32, to features; it stays open
     * @param store where the parameters' values are
     * @return the features
     * @throws IllegalArgumentException if a size is below 1
     */
    public static PictureFeatures of(
            int height,
            int width,
            String description,
            FeatureExtractor extractor,
            ParameterStore store) {
        return of(height, width, description, images -> pooled(extractor, store, images));
    }

    /**
     * Features of Inception-v3 as clean-fid takes them: what makes the Fréchet distance the FID.
     * The network cannot come with this library. clean-fid's file {@code inception-2015-12-05.pt}
     * takes an argument that is no array; its inner network is saved once with
     *
     * <pre>{@code
     * torch.jit.load("inception-2015-12-05.pt").layers.save("inception-layers.pt")
     * }</pre>
     *
     * @param file TorchScript: (B, 3, 299, 299) of (x - 128) / 128 to (B, 2048) or (B, 2048, 1, 1).
     *     It is a program, which runs
     * @return the features
     * @throws IllegalArgumentException if there is no such file
     * @throws IOException if it cannot be read
     * @throws MalformedModelException if it is no such network
     */
    public static PictureFeatures inception(Path file) throws IOException, MalformedModelException {
        double[] centre = {INCEPTION_CENTRE, INCEPTION_CENTRE, INCEPTION_CENTRE};
        PretrainedBackbone backbone =
                PretrainedBackbone.builder()
                        .setFile(file)
                        .setImageSize(INCEPTION_SIDE, INCEPTION_SIDE)
                        .optNormalisation(centre, centre)
                        .optVectors(true)
                        .build();
        int places = backbone.gridHeight() * backbone.gridWidth();
        if (backbone.featureDim() != INCEPTION_FEATURES || places != 1) {
            String got = backbone.featureDim() + " for each of " + places + " places";
            backbone.close();
            throw new MalformedModelException(
                    WHO
                            + ": Inception-v3 gives "
                            + INCEPTION_FEATURES
                            + " features for a picture, got "
                            + got);
        }
        return new PictureFeatures(
                INCEPTION_SIDE,
                INCEPTION_SIDE,
                "Inception-v3",
                1,
                images -> pooled(backbone, new ParameterStore(images.getManager(), false), images),
                backbone::close);
    }

    private static NDArray pooled(FeatureExtractor extractor, ParameterStore store, NDArray x) {
        return extractor.extract(store, x, false).features().mean(new int[] {1});
    }

    /**
     * Features of pictures.
     *
     * @param manager what owns the result, and on whose device the network gets the images
     * @param pictures at least one; each of any size
     * @return (B, d), a row for each picture
     * @throws IllegalArgumentException if there is no picture, or the network gave something else
     */
    public NDArray extract(NDManager manager, List<Scene> pictures) {
        Check.option(!pictures.isEmpty(), WHO + ": pictures must be at least 1, got none");
        int size = Math.multiplyExact(3, Math.multiplyExact(height, width));
        float[] values = new float[Math.multiplyExact(pictures.size(), size)];
        Workers.each(
                pictures.size(),
                () ->
                        i -> {
                            Scene p = pictures.get(i);
                            float[] planes =
                                    CubicResampling.planes(
                                            p.image(), p.height(), p.width(), 3, height, width);
                            for (int j = 0; j < size; j++) {
                                values[i * size + j] = planes[j] / scale;
                            }
                        });
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        Shape shape = new Shape(pictures.size(), 3, height, width);
                        NDArray images = Scalars.ownMemory(manager.create(values, shape));
                        NDArray features = network.apply(images);
                        Check.shape(WHO, "the network's features", features, pictures.size(), "d");
                        return scope.keep(Scalars.ownMemory(features), manager);
                    }
                });
    }

    /**
     * What network it is.
     *
     * @return a description; "Inception-v3" for {@link #inception} alone
     */
    public String description() {
        return description;
    }

    /**
     * Whether the network is Inception-v3 as clean-fid takes it.
     *
     * @return true if the distances are the FID and the KID
     */
    public boolean isInception() {
        return scale == 1;
    }

    /** Frees what was loaded; a network that was given stays as it is. */
    @Override
    public void close() {
        closing.run();
    }
}
