package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Scalars;

/**
 * Everything that an {@link ObjectDiscovery} is made from. It is saved with the weights, as JSON.
 *
 * @param imageHeight H
 * @param imageWidth W
 * @param fit how pictures of other proportions come to that size, in training and in use
 * @param colours how colours in [0, 1] are brought to the encoder's range
 * @param slots K
 * @param slotDim D
 * @param encoder from images to features
 * @param conditioning what slots start from
 * @param grouping from features to slots
 * @param decoder from slots to images or features
 */
public record ObjectDiscoveryConfiguration(
        int imageHeight,
        int imageWidth,
        PictureFit fit,
        Colours colours,
        int slots,
        int slotDim,
        EncoderConfiguration encoder,
        ConditioningConfiguration conditioning,
        GroupingConfiguration grouping,
        DecoderConfiguration decoder) {

    private static final String WHO = "ObjectDiscoveryConfiguration";

    /**
     * How colours are scaled: {@code (colour - mean) / deviation}. What the model makes is scaled
     * back.
     *
     * @param mean what is taken from a colour
     * @param deviation by what it is divided
     */
    public record Colours(double mean, double deviation) {

        /** Colours from 0 to 1, as they are. */
        public static final Colours FROM_0_TO_1 = new Colours(0, 1);

        /** Colours from -1 to 1, as in the paper's code. */
        public static final Colours FROM_MINUS_1_TO_1 = new Colours(0.5, 0.5);

        /**
         * Creates the scale.
         *
         * @param mean a finite number
         * @param deviation above 0
         * @throws IllegalArgumentException if a number is out of its range
         */
        public Colours {
            Check.option(Double.isFinite(mean), WHO + ": colours.mean must be finite, got " + mean);
            Check.positive(WHO, "colours.deviation", deviation);
        }

        /** Colours from 0 to 1 as the model sees them. */
        NDArray scaled(NDArray images) {
            return equals(FROM_0_TO_1)
                    ? images
                    : images.sub(Scalars.like(images, mean)).div(Scalars.like(images, deviation));
        }

        /** Colours as the model makes them, from 0 to 1 again. */
        NDArray unscaled(NDArray made) {
            return equals(FROM_0_TO_1)
                    ? made
                    : made.mul(Scalars.like(made, deviation)).add(Scalars.like(made, mean));
        }
    }

    /**
     * Creates the configuration.
     *
     * @param imageHeight at least 1
     * @param imageWidth at least 1
     * @param fit how pictures come to that size
     * @param colours how colours are scaled
     * @param slots at least 1
     * @param slotDim at least 1
     * @param encoder from images to features
     * @param conditioning what slots start from
     * @param grouping from features to slots
     * @param decoder from slots to images or features
     * @throws IllegalArgumentException if a size is out of its range, or parts do not go together
     */
    public ObjectDiscoveryConfiguration {
        Limits.numbers(WHO, "an image", imageHeight, imageWidth);
        Limits.count(WHO, "slots", slots, 1, Limits.SLOTS);
        Limits.numbers(WHO, "the slots of an image", slots, slotDim);
        Agreement.check(encoder, conditioning, grouping, decoder);
    }

    /**
     * Creates the configuration of a model that sees pictures whole ({@link PictureFit#SQUEEZE}).
     *
     * @param imageHeight at least 1
     * @param imageWidth at least 1
     * @param colours how colours are scaled
     * @param slots at least 1
     * @param slotDim at least 1
     * @param encoder from images to features
     * @param conditioning what slots start from
     * @param grouping from features to slots
     * @param decoder from slots to images or features
     * @throws IllegalArgumentException if a size is out of its range, or parts do not go together
     */
    public ObjectDiscoveryConfiguration(
            int imageHeight,
            int imageWidth,
            Colours colours,
            int slots,
            int slotDim,
            EncoderConfiguration encoder,
            ConditioningConfiguration conditioning,
            GroupingConfiguration grouping,
            DecoderConfiguration decoder) {
        this(
                imageHeight,
                imageWidth,
                PictureFit.SQUEEZE,
                colours,
                slots,
                slotDim,
                encoder,
                conditioning,
                grouping,
                decoder);
    }

    /** What can be changed is given, the rest is as it was. */
    private ObjectDiscoveryConfiguration with(
            int newHeight, int newWidth, PictureFit newFit, int count, EncoderConfiguration other) {
        return new ObjectDiscoveryConfiguration(
                newHeight,
                newWidth,
                newFit,
                colours,
                count,
                slotDim,
                other,
                conditioning,
                grouping,
                decoder);
    }

    /**
     * The same for pictures that come to the model's size in another way.
     *
     * @param fit how
     * @return a configuration
     */
    public ObjectDiscoveryConfiguration withFit(PictureFit fit) {
        return with(imageHeight, imageWidth, fit, slots, encoder);
    }

    /** A scene of any size as the model sees it. */
    Scene fitted(Scene scene) {
        return fit.fitted(scene, imageHeight, imageWidth);
    }

    /** What of a scene the model sees, at its own size. */
    Scene cut(Scene scene) {
        return fit.cut(scene, imageHeight, imageWidth);
    }

    /**
     * The same with another number of slots. Weights fit if no slot has parameters of its own.
     *
     * @param slots K
     * @return a configuration
     * @throws IllegalArgumentException if it is below 1
     */
    public ObjectDiscoveryConfiguration withSlots(int slots) {
        return with(imageHeight, imageWidth, fit, slots, encoder);
    }

    /**
     * The same for images of another size. Weights fit if no part has parameters for a place.
     *
     * @param imageHeight H
     * @param imageWidth W
     * @return a configuration
     * @throws IllegalArgumentException if a size is below 1, or too large
     */
    public ObjectDiscoveryConfiguration withImageSize(int imageHeight, int imageWidth) {
        return with(imageHeight, imageWidth, fit, slots, encoder);
    }

    /**
     * The same with another encoder.
     *
     * @param encoder from images to features
     * @return a configuration
     */
    public ObjectDiscoveryConfiguration withEncoder(EncoderConfiguration encoder) {
        return with(imageHeight, imageWidth, fit, slots, encoder);
    }

    /**
     * As JSON: an object with "format" and "version", and a field for each component; a part has
     * its "kind" first.
     *
     * @return the text, over several lines
     */
    public String toJson() {
        return ConfigurationJson.DISCOVERY.write(this);
    }

    /**
     * Reads what {@link #toJson} wrote. Files from before there was a choice have no "fit", which
     * then is {@link PictureFit#SQUEEZE}.
     *
     * @param json the text
     * @return the configuration
     * @throws IllegalArgumentException if it is not such JSON: the message names the field that is
     *     missing, unknown, twice there, or of a wrong type or range, by its path
     */
    public static ObjectDiscoveryConfiguration fromJson(String json) {
        return ConfigurationJson.DISCOVERY.read(json);
    }
}
