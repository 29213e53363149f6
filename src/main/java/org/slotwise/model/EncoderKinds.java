package org.slotwise.model;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.slotwise.encoder.ContentAndPlaceEncoder;
import org.slotwise.encoder.ConvolutionalEncoder;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.encoder.InstanceNormEncoder;
import org.slotwise.encoder.PretrainedBackbone;
import org.slotwise.encoder.ResNetArchitecture;
import org.slotwise.encoder.ResNetEncoder;
import org.slotwise.encoder.SlotAttentionEncoder;
import org.slotwise.encoder.UNetEncoder;
import org.slotwise.internal.Check;
import org.slotwise.model.EncoderConfiguration.ContentAndPlace;
import org.slotwise.model.EncoderConfiguration.Convolutional;
import org.slotwise.model.EncoderConfiguration.InstanceNorm;
import org.slotwise.model.EncoderConfiguration.Perceptron;
import org.slotwise.model.EncoderConfiguration.Pixels;
import org.slotwise.model.EncoderConfiguration.Positions;
import org.slotwise.model.EncoderConfiguration.Pretrained;
import org.slotwise.model.EncoderConfiguration.Projection;
import org.slotwise.model.EncoderConfiguration.Residual;
import org.slotwise.model.EncoderConfiguration.UNet;

/** The kinds of encoders. */
final class EncoderKinds {

    static final Kinds<EncoderConfiguration, ImageEncoder> ALL =
            new Kinds<EncoderConfiguration, ImageEncoder>()
                    .with("convolutional", Convolutional.class, EncoderKinds::convolutional)
                    .with("residual", Residual.class, EncoderKinds::residual)
                    .with("u_net", UNet.class, EncoderKinds::unet)
                    .with("instance_norm", InstanceNorm.class, EncoderKinds::instanceNorm)
                    .with("content_and_place", ContentAndPlace.class, EncoderKinds::content)
                    .with("pixels", Pixels.class, EncoderKinds::pixels)
                    .with("pretrained", Pretrained.class, EncoderKinds::pretrained);

    private EncoderKinds() {}

    private static ImageEncoder convolutional(Convolutional c, Sizes sizes) {
        ConvolutionalEncoder backbone =
                ConvolutionalEncoder.builder()
                        .optChannels(ints(c.channels()))
                        .optStrides(ints(c.strides()))
                        .optKernelSize(c.kernelSize())
                        .optNegativeSlope(c.negativeSlope())
                        .build();
        return perceptron(backbone, c.perceptron(), c.negativeSlope(), sizes);
    }

    private static ImageEncoder residual(Residual c, Sizes sizes) {
        ResNetEncoder backbone =
                ResNetEncoder.builder()
                        .setArchitecture(
                                new ResNetArchitecture(c.bottleneck(), c.width(), c.blocks()))
                        .optStages(c.stages())
                        .optFixedStatistics(c.fixedStatistics())
                        .build();
        return perceptron(backbone, c.perceptron(), 0, sizes);
    }

    private static ImageEncoder unet(UNet c, Sizes sizes) {
        UNetEncoder backbone = new UNetEncoder(c.sizes(), c.patch());
        // It refuses other heights and widths than multiples of its own.
        backbone.getOutputShapes(new Shape[] {new Shape(1, 3, sizes.height(), sizes.width())});
        return new ImageEncoder(
                c.perceptron() == null ? backbone : perceptron(backbone, c.perceptron(), 0),
                sizes.height() / c.patch(),
                sizes.width() / c.patch());
    }

    private static ImageEncoder instanceNorm(InstanceNorm c, Sizes sizes) {
        InstanceNormEncoder backbone = new InstanceNormEncoder(c.channels(), c.halvings());
        return perceptron(backbone, c.perceptron(), 0, sizes);
    }

    private static ImageEncoder perceptron(
            FeatureExtractor backbone, Perceptron c, double negativeSlope, Sizes sizes) {
        return ImageEncoder.of(perceptron(backbone, c, negativeSlope), sizes);
    }

    private static SlotAttentionEncoder perceptron(
            FeatureExtractor backbone, Perceptron c, double negativeSlope) {
        return SlotAttentionEncoder.builder()
                .setBackbone(backbone)
                .optJoinedPositions(c.positions() == Positions.JOINED)
                .optNorm(c.norm())
                .optNormEps(c.normEps())
                .optNegativeSlope(negativeSlope)
                .optHidden(c.hidden())
                .optFeatureDim(c.featureDim())
                .build();
    }

    private static ImageEncoder content(ContentAndPlace c, Sizes sizes) {
        return ImageEncoder.of(
                ContentAndPlaceEncoder.builder()
                        .setStride(c.stride())
                        .setChannels(c.channels())
                        .build(),
                sizes);
    }

    private static ImageEncoder pixels(Pixels c, Sizes sizes) {
        int patch = c.patchSize();
        Check.option(
                sizes.height() % patch == 0 && sizes.width() % patch == 0,
                "EncoderConfiguration.Pixels: the image must be multiples of the patchSize "
                        + patch
                        + ", got "
                        + sizes.height()
                        + " by "
                        + sizes.width());
        return new ImageEncoder(
                new PixelFeatures(patch, c.placeWeight()),
                sizes.height() / patch,
                sizes.width() / patch);
    }

    private static ImageEncoder pretrained(Pretrained c, Sizes sizes) throws IOException {
        Path file = sizes.folder() == null ? Path.of(c.file()) : sizes.folder().resolve(c.file());
        PretrainedBackbone.Builder builder =
                PretrainedBackbone.builder()
                        .setFile(file)
                        .setImageSize(sizes.height(), sizes.width())
                        .optNormalisation(doubles(c.mean()), doubles(c.std()));
        if (c.output() != null) {
            builder.optOutput(c.output());
        }
        if (c.prefixTokens() != null) {
            builder.optPrefixTokens(c.prefixTokens());
        }
        PretrainedBackbone backbone;
        try {
            backbone = builder.build();
        } catch (MalformedModelException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
        Projection projection = c.projection();
        FeatureExtractor encoder =
                projection == null
                        ? backbone
                        : new ProjectedExtractor(
                                backbone, projection.hidden(), projection.featureDim());
        return new ImageEncoder(encoder, backbone.gridHeight(), backbone.gridWidth());
    }

    private static int[] ints(List<Integer> numbers) {
        return numbers.stream().mapToInt(Integer::intValue).toArray();
    }

    private static double[] doubles(List<Double> numbers) {
        return numbers.stream().mapToDouble(Double::doubleValue).toArray();
    }
}
