package org.slotwise.model;

import ai.djl.Model;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.output.CategoryMask;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Pair;
import java.io.Serializable;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.Set;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectDiscoveryTranslator;

/**
 * Makes the translator of a saved model, for {@code translatorFactory} in DJL's {@code
 * serving.properties}: from images to {@link DiscoveredObjects} or to a {@link CategoryMask}.
 */
public final class ObjectDiscoveryTranslatorFactory implements TranslatorFactory, Serializable {

    private static final long serialVersionUID = 1;

    /** Creates the factory, as DJL does. */
    public ObjectDiscoveryTranslatorFactory() {}

    /** {@inheritDoc} */
    @Override
    public Set<Pair<Type, Type>> getSupportedTypes() {
        return Set.of(
                new Pair<>(Image.class, DiscoveredObjects.class),
                new Pair<>(Image.class, CategoryMask.class));
    }

    /** {@inheritDoc} */
    @Override
    @SuppressWarnings("unchecked")
    public <I, O> Translator<I, O> newInstance(
            Class<I> input, Class<O> output, Model model, Map<String, ?> arguments)
            throws TranslateException {
        if (!isSupported(input, output)) {
            throw new TranslateException(
                    "ObjectDiscoveryTranslatorFactory: from Image to DiscoveredObjects or"
                            + " CategoryMask, got "
                            + input.getName()
                            + " to "
                            + output.getName());
        }
        if (!(model.getBlock() instanceof ObjectDiscovery block)) {
            throw new TranslateException(
                    "ObjectDiscoveryTranslatorFactory: the model's block must be an"
                            + " ObjectDiscovery; is blockFactory set in serving.properties?");
        }
        ObjectDiscoveryTranslator translator = of(block);
        return (Translator<I, O>)
                (output == CategoryMask.class ? translator.toCategoryMask() : translator);
    }

    /** The translator of a block. */
    static ObjectDiscoveryTranslator of(ObjectDiscovery block) {
        ObjectDiscoveryConfiguration c = block.madeFrom();
        Shape grid = block.featureGrid();
        return ObjectDiscoveryTranslator.builder()
                .setImageSize(c.imageHeight(), c.imageWidth())
                .optFeatureGrid((int) grid.get(0), (int) grid.get(1))
                .build();
    }
}
