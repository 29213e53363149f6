package org.slotwise.image;

import ai.djl.modality.Output;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;

/** A client's error. */
final class RefusedRequestException extends Exception implements Reply {

    private static final long serialVersionUID = 1;

    private final int code;
    private final String reason;
    private final String message;

    /**
     * Creates the error.
     *
     * @param code a status of HTTP
     * @param reason the status in words
     * @param message what was expected and what came
     */
    RefusedRequestException(int code, String reason, String message) {
        super(message);
        this.code = code;
        this.reason = reason;
        this.message = message;
    }

    /** A status, and in JSON what DJL's server tells of errors. */
    @Override
    public Output to(Iterator<DiscoveredObjects> found, SlotPictures pictures) {
        JsonObject json = new JsonObject();
        json.addProperty("code", code);
        json.addProperty("type", reason);
        json.addProperty("message", message);
        // The reason goes into the first line of the answer, where nothing of the client's may.
        Output output = new Output(code, reason);
        output.add(json.toString().getBytes(StandardCharsets.UTF_8));
        output.addProperty("Content-Type", AnswerForm.JSON.mediaType());
        return output;
    }
}
