package org.slotwise.image;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.output.CategoryMask;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slotwise.data.Crop;
import org.slotwise.data.PictureFit;
import org.slotwise.image.PendingImages.Size;
import org.slotwise.internal.Check;
import org.slotwise.internal.JpegReader;
import org.slotwise.internal.SmallPictureWarning;

/**
 * Puts images through a model that discovers objects, for DJL's {@code Predictor}.
 *
 * <p>In: an image of any size and kind becomes (3, H, W), resized without keeping its proportions
 * or cut to them first ({@link Builder#optFit}), each colour in [0, 1], less a mean and divided by
 * a deviation. Transparent pixels are seen before a background. Several images make a batch (B, 3,
 * H, W), whatever their sizes.
 *
 * <p>Out: the model may be any block whose outputs, told apart by name, are some of these, of which
 * the first two can stand for each other:
 *
 * <ul>
 *   <li>{@code masks} (B, K, h, w) or (B, K, N): how much each pixel belongs to each slot
 *   <li>{@code feature_attributions} (B, K, N), {@code attentions} (B, T, K, N): what slots attend
 *       to, in the last iteration and in each of T
 *   <li>{@code objects} (B, K, D): the slots
 *   <li>{@code slot_images} (B, K, 3, h, w), {@code reconstruction} (B, 3, h, w): colours, in the
 *       form in which they go in; a {@code reconstruction} (B, N, F) is of features, and passed
 *       over
 * </ul>
 *
 * <p>Others are passed over. These are the names that {@code SlotDecoding}, {@code
 * PerceptualGroupingOutput} and {@code AttentionTrace} have for them. N features are taken for a
 * grid of the image's proportions, row by row.
 *
 * <p>Each result has the size of its own image, whether DJL prepares and reads images one by one,
 * as its servers do, or in batches. Of images that are prepared or read one by one a bad one is an
 * error of its own; a batch that is asked for at once fails as a whole, since DJL has no result for
 * a part of it.
 *
 * <p>An image whose sides are enlarged more than four times shows little: a warning tells of the
 * first one.
 *
 * <p>A translator keeps nothing else between calls: any number of predictors can share it, in any
 * threads. A {@code Predictor} itself, says DJL, is for one thread.
 */
public final class ObjectDiscoveryTranslator implements Translator<Image, DiscoveredObjects> {

    static {
        JpegReader.register(); // for the images that DJL decodes
    }

    private final int height;
    private final int width;
    private final float[] mean;
    private final float[] deviation;
    private final int paper;
    private final BackgroundSlot background;
    private final PictureFit fit;
    private final double leastScore;
    private final ModelOutputs.Options outputs;
    private final SmallPictureWarning small =
            new SmallPictureWarning(
                    LoggerFactory.getLogger(ObjectDiscoveryTranslator.class), who());

    private ObjectDiscoveryTranslator(Builder builder) {
        height = builder.height;
        width = builder.width;
        mean = builder.mean.clone();
        deviation = builder.deviation.clone();
        paper = builder.paper;
        background = builder.background;
        fit = builder.fit;
        leastScore = builder.leastScore;
        outputs =
                new ModelOutputs.Options(
                        height, width, builder.gridHeight, builder.gridWidth, builder.names);
    }

    private static String who() {
        return "ObjectDiscoveryTranslator";
    }

    /** {@inheritDoc} */
    @Override
    public NDList processInput(TranslatorContext ctx, Image input) {
        List<Size> sizes = new ArrayList<>();
        NDArray batch = prepared(ctx, List.of(input), sizes);
        PendingImages.sizes(ctx).add(sizes.get(0));
        return new NDList(batch.squeeze(0));
    }

    /** {@inheritDoc} */
    @Override
    public NDList batchProcessInput(TranslatorContext ctx, List<Image> inputs) {
        List<Size> sizes = new ArrayList<>();
        NDList batch = inputs.isEmpty() ? new NDList() : new NDList(prepared(ctx, inputs, sizes));
        PendingImages.sizes(ctx).addBatch(sizes);
        return batch;
    }

    /** Images as the model takes them (B, 3, H, W), and the sizes that they had. */
    private NDArray prepared(TranslatorContext ctx, List<Image> inputs, List<Size> sizes) {
        int image = 3 * height * width;
        float[] values = new float[Math.multiplyExact(inputs.size(), image)];
        for (Image input : inputs) {
            Pixels pixels = Pixels.of(input, paper);
            small.see(pixels.height(), pixels.width(), height, width, UnaryOperator.identity());
            Pixels seen = pixels.cut(window(pixels.height(), pixels.width()));
            write(seen.resize(height, width).rgb(), values, sizes.size() * image);
            sizes.add(new Size(pixels.height(), pixels.width()));
        }
        NDArray batch =
                ctx.getNDManager().create(values, new Shape(inputs.size(), 3, height, width));
        DataType type = ctx.getModel().getDataType();
        return type == null ? batch : batch.toType(type, false);
    }

    /** The part of an image that the model sees. */
    private Crop window(int imageHeight, int imageWidth) {
        return fit.window(imageHeight, imageWidth, height, width);
    }

    private void write(byte[] rgb, float[] values, int from) {
        int size = height * width;
        for (int i = 0; i < rgb.length; i++) {
            int c = i % 3;
            values[from + c * size + i / 3] = ((rgb[i] & 0xff) / 255f - mean[c]) / deviation[c];
        }
    }

    /** {@inheritDoc} */
    @Override
    public DiscoveredObjects processOutput(TranslatorContext ctx, NDList list) {
        // Taken even if the outputs are wrong: the next image's must find its own.
        Size size = PendingImages.sizes(ctx).next(who());
        NDList batch = new NDList();
        for (NDArray array : list) {
            NDArray one = array.expandDims(0);
            one.setName(array.getName());
            batch.add(one);
        }
        return found(batch, List.of(size)).get(0);
    }

    /** {@inheritDoc} */
    @Override
    public List<DiscoveredObjects> batchProcessOutput(TranslatorContext ctx, NDList list) {
        List<Size> sizes = PendingImages.sizes(ctx).nextBatch(who());
        return sizes.isEmpty() ? List.of() : found(list, sizes);
    }

    private List<DiscoveredObjects> found(NDList list, List<Size> sizes) {
        ModelOutputs model = new ModelOutputs(who(), list, sizes.size(), outputs);
        List<SlotMasks> masks = model.masks();
        List<List<SlotMasks>> attention = model.attention();
        List<float[][]> slots = model.slots();
        List<List<Image>> slotImages = model.slotImages(mean, deviation);
        List<Image> reconstructions = model.reconstructions(mean, deviation);
        List<DiscoveredObjects> found = new ArrayList<>();
        for (int b = 0; b < sizes.size(); b++) {
            SlotMasks mask = masks.get(b);
            Size size = sizes.get(b);
            Crop window = window(size.height(), size.width());
            found.add(
                    new DiscoveredObjects(
                            mask.categories(size.height(), size.width(), window, background),
                            mask,
                            slots.isEmpty() ? new float[0][] : slots.get(b),
                            attention.isEmpty() ? List.of() : attention.get(b),
                            slotImages.isEmpty() ? List.of() : slotImages.get(b),
                            reconstructions.isEmpty() ? null : reconstructions.get(b),
                            window,
                            leastScore));
        }
        return found;
    }

    /**
     * The same translator, with the segmentation alone as its result, where DJL's own segmentation
     * translators stand.
     *
     * @return a translator to classes of pixels
     */
    public Translator<Image, CategoryMask> toCategoryMask() {
        return new Translator<>() {
            @Override
            public NDList processInput(TranslatorContext ctx, Image input) {
                return ObjectDiscoveryTranslator.this.processInput(ctx, input);
            }

            @Override
            public NDList batchProcessInput(TranslatorContext ctx, List<Image> inputs) {
                return ObjectDiscoveryTranslator.this.batchProcessInput(ctx, inputs);
            }

            @Override
            public CategoryMask processOutput(TranslatorContext ctx, NDList list) {
                return ObjectDiscoveryTranslator.this.processOutput(ctx, list).segmentation();
            }

            @Override
            public List<CategoryMask> batchProcessOutput(TranslatorContext ctx, NDList list) {
                return ObjectDiscoveryTranslator.this.batchProcessOutput(ctx, list).stream()
                        .map(DiscoveredObjects::segmentation)
                        .toList();
            }
        };
    }

    /**
     * Starts the description of a translator.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes an {@link ObjectDiscoveryTranslator}. */
    public static final class Builder {
        private int height;
        private int width;
        private float[] mean = {0, 0, 0};
        private float[] deviation = {1, 1, 1};
        private int paper = Pixels.WHITE;
        private BackgroundSlot background = BackgroundSlot.none();
        private PictureFit fit = PictureFit.SQUEEZE;
        private double leastScore = DiscoveredObjects.LEAST_SCORE;
        private int gridHeight;
        private int gridWidth;
        private @Nullable List<String> names;

        private Builder() {}

        /**
         * Sets the size of the images that the model takes.
         *
         * @param height H, at least 1
         * @param width W, at least 1
         * @return this
         */
        public Builder setImageSize(int height, int width) {
            this.height = height;
            this.width = width;
            return this;
        }

        /**
         * Sets what is taken from the colours, and by what they are then divided.
         *
         * @param mean of red, green and blue in [0, 1]; zeros if not set
         * @param deviation above 0; ones if not set
         * @return this
         */
        public Builder optNormalization(float[] mean, float[] deviation) {
            this.mean = mean.clone();
            this.deviation = deviation.clone();
            return this;
        }

        /**
         * Sets what is seen through transparent pixels.
         *
         * @param colour red, green and blue, a byte each; white if not set
         * @return this
         */
        public Builder optPaper(int colour) {
            paper = colour;
            return this;
        }

        /**
         * Sets which slot is the background: its class is called "background" instead of "slot 3",
         * say. Its number stays.
         *
         * @param background none if not set
         * @return this
         */
        public Builder optBackground(BackgroundSlot background) {
            this.background = background;
            return this;
        }

        /**
         * Sets how images of other proportions come to the model's size. What the model does not
         * see belongs to no slot; its class is called "outside".
         *
         * @param fit {@link PictureFit#SQUEEZE} if not set
         * @return this
         */
        public Builder optFit(PictureFit fit) {
            this.fit = fit;
            return this;
        }

        /**
         * Sets which of the slots are no objects, {@link DiscoveredObjects#objects}: those of a
         * lower score.
         *
         * @param leastScore from 0 to 1; 0.5 if not set
         * @return this
         */
        public Builder optLeastScore(double leastScore) {
            this.leastScore = leastScore;
            return this;
        }

        /**
         * Sets the grid of the features.
         *
         * @param height the number of rows
         * @param width the number of columns; if not set, the grid of N features whose proportions
         *     are those of the image
         * @return this
         */
        public Builder optFeatureGrid(int height, int width) {
            Check.option(
                    height > 0 && width > 0,
                    who() + ": featureGrid must be at least 1 x 1, got " + height + " x " + width);
            gridHeight = height;
            gridWidth = width;
            return this;
        }

        /**
         * Sets what the model's outputs are called, for a model that gives them no names or others.
         *
         * @param names one for each output, in their order
         * @return this
         */
        public Builder optOutputNames(String... names) {
            this.names = List.of(names);
            return this;
        }

        /**
         * Builds the translator.
         *
         * @return a translator
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public ObjectDiscoveryTranslator build() {
            Check.option(
                    height > 0 && width > 0,
                    who() + ": imageSize must be at least 1 x 1, got " + height + " x " + width);
            DiscoveredObjects.checkLeastScore(who(), leastScore);
            boolean normal = mean.length == 3 && deviation.length == 3;
            for (int c = 0; normal && c < 3; c++) {
                normal =
                        Float.isFinite(mean[c])
                                && deviation[c] > 0
                                && deviation[c] < Float.POSITIVE_INFINITY;
            }
            Check.option(
                    normal,
                    who()
                            + ": normalization must be 3 finite means and 3 deviations above 0, got "
                            + Arrays.toString(mean)
                            + " and "
                            + Arrays.toString(deviation));
            Check.option(
                    paper >= 0 && paper <= Pixels.WHITE,
                    String.format(
                            Locale.ROOT, who() + ": paper must be 0 to 0xFFFFFF, got 0x%X", paper));
            return new ObjectDiscoveryTranslator(this);
        }
    }
}
