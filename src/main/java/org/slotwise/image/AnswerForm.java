package org.slotwise.image;

import ai.djl.modality.Output;
import ai.djl.modality.cv.Image;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The forms in which a request can be answered, and which of them its {@code Accept} asks for (RFC
 * 9110, 12.5.1).
 */
enum AnswerForm implements Reply {
    /** {@link ObjectList#toJson}. */
    JSON("application", "json") {
        @Override
        byte[] bytes(DiscoveredObjects found, SlotPictures pictures) {
            return found.objects().toJson().getBytes(StandardCharsets.UTF_8);
        }
    },
    /** The segmentation at the size of the picture that was sent. */
    PNG("image", "png") {
        @Override
        byte[] bytes(DiscoveredObjects found, SlotPictures pictures) throws IOException {
            Image drawn = pictures.segmentation(found);
            ByteArrayOutputStream png = new ByteArrayOutputStream();
            drawn.save(png, "png");
            return png.toByteArray();
        }
    };

    private final String kind;
    private final String subtype;

    AnswerForm(String kind, String subtype) {
        this.kind = kind;
        this.subtype = subtype;
    }

    /** What was found in a picture. */
    abstract byte[] bytes(DiscoveredObjects found, SlotPictures pictures) throws IOException;

    @Override
    public Output to(Iterator<DiscoveredObjects> found, SlotPictures pictures) throws IOException {
        Output output = new Output();
        output.add(bytes(found.next(), pictures));
        output.addProperty("Content-Type", mediaType());
        return output;
    }

    String mediaType() {
        return kind + "/" + subtype;
    }

    /**
     * What a request asks for: the form of the highest quality; of equals the one that is named
     * more exactly; of these the one that is named first.
     *
     * @param accept the header's value; null or blank accepts everything
     * @return the form; null if none is accepted
     */
    static @Nullable AnswerForm accepted(@Nullable String accept) {
        if (accept == null || accept.isBlank()) {
            return JSON;
        }
        Range[] ranges = Arrays.stream(accept.split(",", -1)).map(Range::of).toArray(Range[]::new);
        AnswerForm best = null;
        Match of = Match.NONE;
        for (AnswerForm form : values()) {
            Match match = form.match(ranges);
            if (match.quality > 0 && match.isBetterThan(of)) {
                best = form;
                of = match;
            }
        }
        return best;
    }

    /** By the range that names this form most exactly: a refusal goes before a star. */
    private Match match(Range[] ranges) {
        Match match = Match.NONE;
        for (int i = 0; i < ranges.length; i++) {
            int exactness = exactness(ranges[i]);
            if (exactness > match.exactness) {
                match = new Match(ranges[i].quality, exactness, i);
            }
        }
        return match;
    }

    private int exactness(Range range) {
        if (range.type.equals("*/*")) {
            return 1;
        }
        if (range.type.equals(kind + "/*")) {
            return 2;
        }
        return range.type.equals(mediaType()) ? 3 : 0;
    }

    private record Match(double quality, int exactness, int place) {

        static final Match NONE = new Match(0, 0, 0);

        boolean isBetterThan(Match other) {
            if (quality != other.quality) {
                return quality > other.quality;
            }
            return exactness != other.exactness ? exactness > other.exactness : place < other.place;
        }
    }

    /** One of the header's media ranges. Parameters other than the quality are passed over. */
    private record Range(String type, double quality) {

        /** What has a quality that is none is a range of nothing. */
        private static final Range NOTHING = new Range("", 0);

        static Range of(String text) {
            String[] parts = text.toLowerCase(Locale.ROOT).split(";", -1);
            double quality = 1;
            for (int i = 1; i < parts.length; i++) {
                String part = parts[i].strip();
                if (part.startsWith("q=")) {
                    if (!part.matches("q=(0(\\.[0-9]{0,3})?|1(\\.0{0,3})?)")) {
                        return NOTHING;
                    }
                    quality = Double.parseDouble(part.substring(2));
                }
            }
            return new Range(parts[0].strip(), quality);
        }
    }
}
