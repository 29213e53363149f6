package org.slotwise.model;

import ai.djl.MalformedModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.slotwise.encoder.ContentAndPlaceEncoder;
import org.slotwise.encoder.ConvolutionalEncoder;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.encoder.PretrainedBackbone;
import org.slotwise.encoder.ResNetArchitecture;
import org.slotwise.encoder.ResNetEncoder;
import org.slotwise.encoder.SlotAttentionEncoder;
import org.slotwise.internal.Check;
import org.slotwise.model.EncoderConfiguration.ContentAndPlace;
import org.slotwise.model.EncoderConfiguration.Convolutional;
import org.slotwise.model.EncoderConfiguration.Perceptron;
import org.slotwise.model.EncoderConfiguration.Pixels;
import org.slotwise.model.EncoderConfiguration.Positions;
import org.slotwise.model.EncoderConfiguration.Pretrained;
import org.slotwise.model.EncoderConfiguration.Projection;
import org.slotwise.model.EncoderConfiguration.Residual;

/** The kinds of encoders. */
final class EncoderKinds {

    static final Kinds<EncoderConfiguration, ImageEncoder> ALL =
            new Kinds<EncoderConfiguration, ImageEncoder>()
                    .with("convolutional", Convolutional.class, EncoderKinds::convolutional)
                    .with("residual", Residual.class, EncoderKinds::residual)
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

    private static ImageEncoder perceptron(
            FeatureExtractor backbone, Perceptron c, double negativeSlope, Sizes sizes) {
        SlotAttentionEncoder encoder =
                SlotAttentionEncoder.builder()
                        .setBackbone(backbone)
                        .optJoinedPositions(c.positions() == Positions.JOINED)
                        .optNorm(c.norm())
                        .optNormEps(c.normEps())
                        .optNegativeSlope(negativeSlope)
                        .optHidden(c.hidden())
                        .optFeatureDim(c.featureDim())
                        .build();
        return ImageEncoder.of(encoder, sizes);
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
