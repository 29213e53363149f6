package org.slotwise.model;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.unet.UNetConfiguration;

/**
 * How the encoder of an {@link ObjectDiscovery} is made. Each kind is a record; sizes that a block
 * checks itself are checked when the model is made.
 */
public sealed interface EncoderConfiguration {

    /** How positions come to features. */
    enum Positions {
        /** A learnt map of them is added. */
        ADDED,

        /** They are joined to the features. */
        JOINED
    }

    /**
     * What follows the convolutions: positions, and a perceptron on each feature.
     *
     * @param positions how positions come to features
     * @param norm whether features are normalised before the perceptron
     * @param normEps what that adds to the variance
     * @param hidden the size of the perceptron's hidden layer
     * @param featureDim the size of a feature, F
     */
    record Perceptron(
            Positions positions, boolean norm, double normEps, int hidden, int featureDim) {

        /**
         * Creates the description.
         *
         * @param positions how positions come to features
         * @param norm whether features are normalised
         * @param normEps from 1e-30 to 1
         * @param hidden at least 1
         * @param featureDim at least 1
         * @throws IllegalArgumentException if normEps is out of its range
         */
        public Perceptron {
            Limits.normEps("EncoderConfiguration.Perceptron", "normEps", normEps);
        }
    }

    /**
     * Convolutions, positions and a perceptron: the paper's {@code SlotAttentionEncoder}.
     *
     * @param channels what each convolution gives
     * @param strides as many numbers
     * @param kernelSize of all convolutions, odd
     * @param negativeSlope of all activations below zero: 0 for ReLUs, 0.01 for PyTorch's LeakyReLU
     * @param perceptron what follows
     */
    record Convolutional(
            List<Integer> channels,
            List<Integer> strides,
            int kernelSize,
            double negativeSlope,
            Perceptron perceptron)
            implements EncoderConfiguration {

        /**
         * Creates the description.
         *
         * @param channels at least one layer
         * @param strides as many as channels
         * @param kernelSize odd
         * @param negativeSlope from 0 to 1
         * @param perceptron what follows
         */
        public Convolutional {
            channels = List.copyOf(channels);
            strides = List.copyOf(strides);
            Check.notNegative("EncoderConfiguration.Convolutional", "negativeSlope", negativeSlope);
        }
    }

    /**
     * A residual network, positions and a perceptron.
     *
     * @param bottleneck whether blocks have three convolutions
     * @param width the channels of the first stage
     * @param blocks how many blocks each stage has
     * @param stages how many stages are used
     * @param fixedStatistics whether batch normalisation keeps to its running statistics in
     *     training
     * @param perceptron what follows
     */
    record Residual(
            boolean bottleneck,
            int width,
            List<Integer> blocks,
            int stages,
            boolean fixedStatistics,
            Perceptron perceptron)
            implements EncoderConfiguration {

        /**
         * Creates the description.
         *
         * @param bottleneck whether blocks have three convolutions
         * @param width at least 1
         * @param blocks at least one stage
         * @param stages from 1 to as many as there are
         * @param fixedStatistics whether statistics are fixed
         * @param perceptron what follows
         */
        public Residual {
            blocks = List.copyOf(blocks);
        }
    }

    /**
     * A U-Net that sees no slots: {@code UNetEncoder}, the backbone of Latent Slot Diffusion.
     *
     * @param sizes its sizes, without a transformer; what comes out of it are features
     * @param patch height and width of what becomes one place
     * @param perceptron what follows; null for nothing, as where {@link
     *     GroupingConfiguration.SteveSlotAttention} has what follows
     */
    record UNet(UNetConfiguration sizes, int patch, @Nullable Perceptron perceptron)
            implements EncoderConfiguration {}

    /**
     * Residual blocks with instance normalisation, positions and a perceptron: {@code
     * InstanceNormEncoder}, that of COL775's solution.
     *
     * @param channels of all its layers
     * @param halvings how often the size is halved
     * @param perceptron what follows
     */
    record InstanceNorm(int channels, int halvings, Perceptron perceptron)
            implements EncoderConfiguration {}

    /**
     * What a place looks like, where it is, and both together, each by a small perceptron: {@code
     * ContentAndPlaceEncoder}.
     *
     * @param stride every how many rows and columns there is a feature
     * @param channels the channels of its three convolutions
     */
    record ContentAndPlace(int stride, int channels) implements EncoderConfiguration {}

    /**
     * Colours as they are, with places beside them; nothing is learnt.
     *
     * @param patchSize height and width of the patches over which colours are averaged; those of
     *     the image are multiples of it
     * @param placeWeight how much a place, from 0 to 1, counts beside a colour
     */
    record Pixels(int patchSize, double placeWeight) implements EncoderConfiguration {

        /**
         * Creates the description.
         *
         * @param patchSize at least 1
         * @param placeWeight at least 0
         * @throws IllegalArgumentException if a number is out of its range
         */
        public Pixels {
            Check.atLeast("EncoderConfiguration.Pixels", "patchSize", patchSize, 1);
            Check.notNegative("EncoderConfiguration.Pixels", "placeWeight", placeWeight);
        }
    }

    /**
     * A network from a TorchScript or ONNX file, and a perceptron on each of its features. Where
     * the decoder makes features, those of the network are to be made. A TorchScript file is a
     * program, which runs: see {@code PretrainedBackbone}.
     *
     * @param file the file's path; in a saved model its name in the model's folder
     * @param mean what is taken from red, green and blue in [0, 1]
     * @param std by what they are divided
     * @param output which output the features are; null to find out
     * @param prefixTokens how many tokens come before the patches; null to find out
     * @param projection the perceptron; null if features are grouped as they are
     */
    record Pretrained(
            String file,
            List<Double> mean,
            List<Double> std,
            @Nullable String output,
            @Nullable Integer prefixTokens,
            @Nullable Projection projection)
            implements EncoderConfiguration {

        /**
         * Creates the description.
         *
         * @param file a path
         * @param mean three numbers
         * @param std three numbers above 0
         * @param output a name or number, or null
         * @param prefixTokens at least 0, or null
         * @param projection the perceptron, or null
         * @throws IllegalArgumentException if the path is empty
         */
        public Pretrained {
            Check.option(
                    !file.isBlank(), "EncoderConfiguration.Pretrained: file must not be empty");
            mean = List.copyOf(mean);
            std = List.copyOf(std);
        }

        Pretrained withFile(String other) {
            return new Pretrained(other, mean, std, output, prefixTokens, projection);
        }
    }

    /**
     * Layer normalisation and a perceptron of two layers, on each feature.
     *
     * @param hidden the size of the hidden layer
     * @param featureDim the size of a feature that goes to the grouping, F
     */
    record Projection(int hidden, int featureDim) {

        /**
         * Creates the description.
         *
         * @param hidden at least 1
         * @param featureDim at least 1
         * @throws IllegalArgumentException if a size is below 1
         */
        public Projection {
            Check.atLeast("EncoderConfiguration.Projection", "hidden", hidden, 1);
            Check.atLeast("EncoderConfiguration.Projection", "featureDim", featureDim, 1);
        }
    }
}
