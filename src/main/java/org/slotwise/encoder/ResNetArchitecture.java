package org.slotwise.encoder;

import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * The make of a residual network.
 *
 * <p>Source: He et al., "Deep Residual Learning for Image Recognition" (2016), table 1; blocks of
 * three convolutions have their stride in the second one, as torchvision's.
 *
 * @param bottleneck true for blocks of three convolutions (1x1, 3x3, 1x1 to four times the width),
 *     false for blocks of two 3x3 convolutions
 * @param width the channels of the first stage's 3x3 convolutions; each further stage doubles them
 * @param blocks how many blocks each stage has
 */
public record ResNetArchitecture(boolean bottleneck, int width, List<Integer> blocks) {

    private static final int IMAGENET_WIDTH = 64;
    private static final int STAGES = 16;

    /**
     * Creates the description.
     *
     * @param bottleneck whether blocks have three convolutions
     * @param width at least 1
     * @param blocks at least one stage, at least one block each
     * @throws IllegalArgumentException if a number is below 1
     */
    public ResNetArchitecture {
        blocks = List.copyOf(blocks);
        Check.option(width > 0, "ResNetArchitecture: width must be at least 1, got " + width);
        Check.option(
                !blocks.isEmpty() && blocks.stream().allMatch(n -> n > 0),
                "ResNetArchitecture: blocks must be at least 1, got " + blocks);
        Limits.count("ResNetArchitecture", "the number of stages", blocks.size(), 1, STAGES);
        for (int count : blocks) {
            Limits.count("ResNetArchitecture", "blocks of a stage", count, 1, Limits.LAYERS);
        }
        long last = (4L * width) << (blocks.size() - 1);
        Limits.numbers("ResNetArchitecture", "the last stage's weights", last, last);
    }

    /**
     * ResNet-18.
     *
     * @return two blocks of two convolutions in each of four stages
     */
    public static ResNetArchitecture resNet18() {
        return new ResNetArchitecture(false, IMAGENET_WIDTH, List.of(2, 2, 2, 2));
    }

    /**
     * ResNet-34.
     *
     * @return 3, 4, 6 and 3 blocks of two convolutions
     */
    public static ResNetArchitecture resNet34() {
        return new ResNetArchitecture(false, IMAGENET_WIDTH, List.of(3, 4, 6, 3));
    }

    /**
     * ResNet-50.
     *
     * @return 3, 4, 6 and 3 blocks of three convolutions
     */
    public static ResNetArchitecture resNet50() {
        return new ResNetArchitecture(true, IMAGENET_WIDTH, List.of(3, 4, 6, 3));
    }

    /** The channels that a stage, counted from 0, gives. */
    int channels(int stage) {
        return (bottleneck ? 4 : 1) * width(stage);
    }

    /** The channels of a stage's 3x3 convolutions. */
    int width(int stage) {
        return width << stage;
    }
}
