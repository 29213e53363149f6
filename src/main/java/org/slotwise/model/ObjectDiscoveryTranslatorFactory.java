package org.slotwise.model;

import ai.djl.Model;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.output.CategoryMask;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Pair;
import java.io.Serializable;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slotwise.gnm.Gnm;
import org.slotwise.image.BackgroundSlot;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectDiscoveryServingTranslator;
import org.slotwise.image.ObjectDiscoveryTranslator;

/**
 * Makes the translator of a saved model, for {@code translatorFactory} in DJL's {@code
 * serving.properties}: from images to {@link DiscoveredObjects} or to a {@link CategoryMask}, and
 * from DJL's {@link Input} to {@link Output}, as its server asks ({@link
 * ObjectDiscoveryServingTranslator}).
 *
 * <p>Three arguments are read, which may stand in {@code serving.properties}: {@code background},
 * which slot is the background, {@code largest}, {@code none} or a slot's number, the largest if
 * not said, and slot 0 for a {@link Gnm}; {@code leastScore}, below which a slot is no object,
 * {@link DiscoveredObjects#LEAST_SCORE} if not said; and, for the server, {@code mostPixels}, how
 * many pixels a picture may have. How images come to the model's size is in its configuration.
 */
public final class ObjectDiscoveryTranslatorFactory implements TranslatorFactory, Serializable {

    private static final long serialVersionUID = 1;

    private static final String WHO = "ObjectDiscoveryTranslatorFactory";
    private static final String MOST_PIXELS = "mostPixels";
    private static final String BACKGROUND = "background";
    private static final String LEAST_SCORE = "leastScore";

    /** Creates the factory, as DJL does. */
    public ObjectDiscoveryTranslatorFactory() {}

    /** {@inheritDoc} */
    @Override
    public Set<Pair<Type, Type>> getSupportedTypes() {
        return Set.of(
                new Pair<>(Image.class, DiscoveredObjects.class),
                new Pair<>(Image.class, CategoryMask.class),
                new Pair<>(Input.class, Output.class));
    }

    /** {@inheritDoc} */
    @Override
    @SuppressWarnings("unchecked")
    public <I, O> Translator<I, O> newInstance(
            Class<I> input, Class<O> output, Model model, Map<String, ?> arguments)
            throws TranslateException {
        if (!isSupported(input, output)) {
            throw new TranslateException(
                    WHO
                            + ": from Image to DiscoveredObjects or CategoryMask, or from Input to"
                            + " Output, got "
                            + input.getName()
                            + " to "
                            + output.getName());
        }
        ObjectDiscoveryTranslator translator = translator(model.getBlock(), arguments);
        if (output == Output.class) {
            return (Translator<I, O>)
                    new ObjectDiscoveryServingTranslator(translator, mostPixels(arguments));
        }
        return (Translator<I, O>)
                (output == CategoryMask.class ? translator.toCategoryMask() : translator);
    }

    private static ObjectDiscoveryTranslator translator(Block block, Map<String, ?> arguments)
            throws TranslateException {
        Object said = arguments.get(BACKGROUND);
        double least = leastScore(arguments.get(LEAST_SCORE));
        if (block instanceof ObjectDiscovery discovery) {
            return of(discovery, background(said, "largest", discovery.madeFrom().slots()), least);
        }
        if (block instanceof Gnm gnm) {
            int cells = gnm.sizes().cells();
            return of(gnm, background(said, "0", 1 + cells * cells), least);
        }
        throw new TranslateException(
                WHO
                        + ": the model's block must be an ObjectDiscovery or a Gnm; is blockFactory"
                        + " set in serving.properties?");
    }

    private static BackgroundSlot background(@Nullable Object value, String otherwise, int slots)
            throws TranslateException {
        String text = value == null ? otherwise : value.toString().strip();
        if (text.equals("none")) {
            return BackgroundSlot.none();
        }
        if (text.equals("largest")) {
            return BackgroundSlot.largest();
        }
        try {
            int slot = Integer.parseInt(text);
            if (slot >= 0 && slot < slots) {
                return BackgroundSlot.number(slot);
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new TranslateException(
                WHO
                        + (": " + BACKGROUND + " must be none, largest or a slot from 0 to ")
                        + (slots - 1 + ", got " + text));
    }

    private static double leastScore(@Nullable Object value) throws TranslateException {
        if (value == null) {
            return DiscoveredObjects.LEAST_SCORE;
        }
        try {
            double score = Double.parseDouble(value.toString().strip());
            if (score >= 0 && score <= 1) {
                return score;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new TranslateException(
                WHO + ": " + LEAST_SCORE + " must be a number from 0 to 1, got " + value);
    }

    private static long mostPixels(Map<String, ?> arguments) throws TranslateException {
        Object value = arguments.get(MOST_PIXELS);
        if (value == null) {
            return ObjectDiscoveryServingTranslator.MOST_PIXELS;
        }
        try {
            long most = Long.parseLong(value.toString().strip());
            if (most >= 1) {
                return most;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new TranslateException(
                WHO + ": " + MOST_PIXELS + " must be a whole number of at least 1, got " + value);
    }

    /** The translator of a block, in which the slot of most pixels is the background. */
    static ObjectDiscoveryTranslator of(ObjectDiscovery block) {
        return of(block, BackgroundSlot.largest(), DiscoveredObjects.LEAST_SCORE);
    }

    /** The translator of a block whose slot 0 is the background. */
    static ObjectDiscoveryTranslator of(Gnm block) {
        return of(block, BackgroundSlot.number(0), DiscoveredObjects.LEAST_SCORE);
    }

    private static ObjectDiscoveryTranslator of(
            Gnm block, BackgroundSlot background, double leastScore) {
        int size = block.sizes().picture().size();
        return ObjectDiscoveryTranslator.builder()
                .setImageSize(size, size)
                .optBackground(background)
                .optLeastScore(leastScore)
                .build();
    }

    private static ObjectDiscoveryTranslator of(
            ObjectDiscovery block, BackgroundSlot background, double leastScore) {
        ObjectDiscoveryConfiguration c = block.madeFrom();
        Shape grid = block.featureGrid();
        return ObjectDiscoveryTranslator.builder()
                .setImageSize(c.imageHeight(), c.imageWidth())
                .optFeatureGrid((int) grid.get(0), (int) grid.get(1))
                .optBackground(background)
                .optFit(c.fit())
                .optLeastScore(leastScore)
                .build();
    }
}
