package org.slotwise.image;

import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDList;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.slotwise.data.file.PictureDecoder;
import org.slotwise.internal.Check;

/**
 * Puts an {@link ObjectDiscoveryTranslator} behind DJL's server: pictures as clients send them in,
 * JSON or PNG out.
 *
 * <p>In: the bytes of a picture of any size and any kind that a {@link PictureDecoder} reads, as
 * the body of the request, or the part "data" of a form.
 *
 * <p>Out, by the property {@code Accept}, with its qualities: {@code application/json}, {@link
 * ObjectList#toJson}; or {@code image/png}, the segmentation that {@link SlotPictures} draws, as
 * large as the picture. Without {@code Accept}, or where both are as good, it is JSON.
 *
 * <p>A request that cannot be answered is an {@link Output} with one of HTTP's codes, and in JSON
 * its code, type and message. The others of its batch are answered as if it had not been there.
 *
 * <ul>
 *   <li>400: no picture, or one that is damaged, cut short or too large
 *   <li>406: {@code Accept} allows neither form
 *   <li>415: {@code Content-Type} is JSON. Addresses of pictures are not fetched
 * </ul>
 *
 * <p>How it differs from DJL's {@link ai.djl.modality.cv.translator.ImageServingTranslator}: that
 * one has one form, fetches addresses, takes pictures of any size, and fails for all requests of a
 * batch if one cannot be decoded.
 */
public final class ObjectDiscoveryServingTranslator implements Translator<Input, Output> {

    /** How many pixels a picture may have if nothing else is said: 4096 x 4096. */
    public static final long MOST_PIXELS = 1 << 24;

    private static final String WHO = "ObjectDiscoveryServingTranslator";

    private final ObjectDiscoveryTranslator translator;
    private final PictureDecoder decoder;
    private final SlotPictures pictures = SlotPictures.builder().build();

    /**
     * Creates the translator.
     *
     * @param translator how images become objects
     */
    public ObjectDiscoveryServingTranslator(ObjectDiscoveryTranslator translator) {
        this(translator, MOST_PIXELS);
    }

    /**
     * Creates the translator, with a bound to what a picture may cost.
     *
     * @param translator how images become objects
     * @param mostPixels how many pixels a picture may have, at least 1
     * @throws IllegalArgumentException if the bound is out of range
     */
    public ObjectDiscoveryServingTranslator(ObjectDiscoveryTranslator translator, long mostPixels) {
        Check.option(mostPixels >= 1, WHO + ": mostPixels must be at least 1, got " + mostPixels);
        this.translator = translator;
        decoder = new PictureDecoder(mostPixels);
    }

    /**
     * {@inheritDoc}
     *
     * @throws TranslateException if the request is refused; where several are asked for at once,
     *     each has its own answer
     */
    @Override
    public NDList processInput(TranslatorContext ctx, Input input) throws TranslateException {
        try {
            PictureRequest request = PictureRequest.of(WHO, input, decoder);
            NDList list = translator.processInput(ctx, request.image());
            PendingImages.replies(ctx).add(request.form());
            return list;
        } catch (RefusedRequestException e) {
            throw new TranslateException(e.getMessage(), e);
        }
    }

    /** {@inheritDoc} */
    @Override
    public NDList batchProcessInput(TranslatorContext ctx, List<Input> inputs) {
        List<Reply> replies = new ArrayList<>();
        List<Image> images = new ArrayList<>();
        for (Input input : inputs) {
            try {
                PictureRequest request = PictureRequest.of(WHO, input, decoder);
                images.add(request.image());
                replies.add(request.form());
            } catch (RefusedRequestException e) {
                replies.add(e);
            }
        }
        NDList list = translator.batchProcessInput(ctx, images);
        PendingImages.replies(ctx).addBatch(replies);
        return list;
    }

    /** {@inheritDoc} */
    @Override
    public Output processOutput(TranslatorContext ctx, NDList list) throws IOException {
        DiscoveredObjects found = translator.processOutput(ctx, list);
        Reply reply = PendingImages.replies(ctx).next(WHO);
        while (reply instanceof RefusedRequestException) { // of a batch that is read one by one
            reply = PendingImages.replies(ctx).next(WHO);
        }
        return reply.to(List.of(found).iterator(), pictures);
    }

    /** {@inheritDoc} */
    @Override
    public List<Output> batchProcessOutput(TranslatorContext ctx, NDList list) throws IOException {
        Iterator<DiscoveredObjects> found = translator.batchProcessOutput(ctx, list).iterator();
        List<Output> outputs = new ArrayList<>();
        for (Reply reply : PendingImages.replies(ctx).nextBatch(WHO)) {
            outputs.add(reply.to(found, pictures));
        }
        return outputs;
    }
}
